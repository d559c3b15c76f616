#pragma once

#include <string>

#include "absl/time/time.h"
#include "crypto/server_chain.h"
#include "proto/grpc/credentials.h"

namespace amparo {

// What one TLS handshake showed, and the answer that should follow it.
struct TlsLook {
  enum class End {
    kSilent,    // no TLS came back in time
    kClosed,    // the connection ended before TLS stood
    kNoTls13,   // what came back is something else
    kRefused,   // TLS stood, and then the other side ended it
    kNoAnswer,  // TLS stood, and then nothing came in time
    kAnswered,  // TLS stood, and HTTP/2 began
  };
  End end = End::kSilent;
  // Both: once TLS stood.
  ChainVerdict chain;
  bool wants_certificate = false;  // the server asks clients for one
};

// Shakes hands over the connected `socket`, which stays the caller's, with
// whoever is there, and looks who it is. Shows `tls`'s certificate, where there
// is one, to a server of `tls`'s CA only, whose certificate has not ended. At
// most until `deadline`.
TlsLook LookAtTls(int socket, const std::string& host, const ClientTls& tls,
                  absl::Time now, absl::Time deadline);

}  // namespace amparo

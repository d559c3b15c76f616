#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

// A TLS port whose clients are known by certificates that were pinned one by
// one, instead of by a CA: the agent's, for an institution's own systems.

namespace amparo {

struct PinningServer {
  // PEM texts: the server's private key, and its certificate.
  std::string key;
  std::string certificate;
  // Whether the client that proved the key of this certificate (PEM) may
  // connect. Asked at each handshake, on gRPC's threads: thread-safe, and never
  // blocks.
  std::function<bool(absl::string_view certificate)> admits;
};

// Every client must show a certificate and prove its key; the connection of one
// that is not admitted ends before a byte of HTTP/2 is read. Chains and names
// of client certificates are not looked at. Call AllowOnlyTls13 before.
std::shared_ptr<grpc::ServerCredentials> MakePinningServerCredentials(
    PinningServer server);

}  // namespace amparo

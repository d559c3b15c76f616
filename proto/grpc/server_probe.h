#pragma once

#include <string>

#include "absl/time/time.h"
#include "proto/grpc/credentials.h"

namespace amparo {

// Whether a client with `tls` gets a connection at `address` (host:port) within
// `patience`, whatever name the server's certificate has: for a server that
// looks whether its own ports show and take what they should. Goes through no
// proxy. Blocks.
bool Connects(const std::string& address, const ClientTls& tls,
              absl::Duration patience);

}  // namespace amparo

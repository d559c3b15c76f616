#pragma once

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

namespace amparo {

// For asking a server what time it is, where this machine's clock may be the
// one that is wrong, and for nothing else: it must be of `server_ca` (PEM) and
// for `host`, as ever, but may show a certificate that has not begun or has
// ended. Call AllowOnlyTls13 before.
std::shared_ptr<grpc::ChannelCredentials> MakeClocklessCredentials(
    std::string server_ca, std::string host);

}  // namespace amparo

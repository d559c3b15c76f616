#pragma once

#include <grpcpp/security/auth_context.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/network/member.h"

namespace amparo::broker {

// The member that TLS authenticated: from the client certificate's only URI
// name, "spiffe://NETWORK/member/ID". UNAUTHENTICATED without one of this
// network. Nothing that a request says can change it.
absl::StatusOr<MemberId> PeerMember(const grpc::AuthContext& auth,
                                    absl::string_view network);

}  // namespace amparo::broker

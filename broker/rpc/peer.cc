#include "broker/rpc/peer.h"

#include <grpc/grpc_security_constants.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/error.h"

namespace amparo::broker {
namespace {

absl::Status Refused() {
  return MakeError(
      absl::StatusCode::kUnauthenticated, "no certificate of this network",
      {.code = "unknown_member",
       .expected = "a client certificate of the network's CA",
       .hint = "ask for a new invitation and join again"});
}

}  // namespace

absl::StatusOr<MemberId> PeerMember(const grpc::AuthContext& auth,
                                    absl::string_view network) {
  const std::vector<grpc::string_ref> names =
      auth.FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME);
  if (!auth.IsPeerAuthenticated() || names.size() != 1) return Refused();
  absl::string_view name(names[0].data(), names[0].size());
  if (!absl::ConsumePrefix(&name,
                           absl::StrCat("spiffe://", network, "/member/")))
    return Refused();
  auto member = MemberId::Parse(name);
  if (!member.ok()) return Refused();
  return member;
}

}  // namespace amparo::broker

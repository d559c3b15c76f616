#include "broker/daemon/inviting.h"

#include <utility>

#include "base/error.h"
#include "base/status.h"

namespace amparo::broker {

absl::StatusOr<Invitation> MakeInvitation(Enrolment& enrolment,
                                          const NetworkFile& network,
                                          absl::string_view member,
                                          absl::Duration life,
                                          bool new_identity) {
  const auto id = MemberId::Parse(member);
  if (!id.ok())
    return MakeError(absl::StatusCode::kInvalidArgument, "not a member's id",
                     {.code = "usage",
                      .field = "MEMBER",
                      .expected = "[a-z][a-z0-9-]{0,31}"});
  ASSIGN_OR_RETURN(Enrolment::Invited invited,
                   enrolment.Invite(*id, life, new_identity));
  return Invitation{.network = network.network,
                    .member = *id,
                    .enrol = network.enrol,
                    .ca_der = network.ca_der,
                    .root = invited.root,
                    .token = std::move(invited.token),
                    .until = invited.until,
                    .next_ca_der = network.next_ca_der};
}

}  // namespace amparo::broker

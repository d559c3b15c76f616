#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "broker/core/enrolment.h"
#include "proto/network/invitation.h"
#include "proto/network/network_file.h"

namespace amparo::broker {

// A new invitation of `member`, whole. INVALID_ARGUMENT for what is no member
// id; else as Enrolment::Invite.
absl::StatusOr<Invitation> MakeInvitation(Enrolment& enrolment,
                                          const NetworkFile& network,
                                          absl::string_view member,
                                          absl::Duration life,
                                          bool new_identity = false);

}  // namespace amparo::broker

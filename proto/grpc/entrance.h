#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/keys.h"
#include "crypto/x509.h"
#include "proto/grpc/enrolment_client.h"
#include "proto/network/ca_note.h"
#include "proto/network/charter.h"
#include "proto/network/invitation.h"

namespace amparo {

// The way in for whoever holds an invitation: its network, found and checked.
struct Entrance {
  Invitation invitation;
  EnrolmentClient broker;
  EnrolmentClient::Network network;
  AcceptedCharter charter;    // the newest, from the invitation's root on
  std::string first_charter;  // version 1 as published
};

// Goes there. Whatever stands in the way is named by its one cause:
// "invalid_invitation" (the line is damaged), "invitation_expired",
// "unknown_member", "wrong_pin" (who answers is not that network's broker, or
// shows another charter), "config" (a clock), "broker_unreachable" (name, port,
// something that speaks no TLS, silence). Whether the invitation was used
// before, only EnrolmentClient::Join can say. `now`: of this machine.
absl::StatusOr<Entrance> EnterNetwork(absl::string_view line, absl::Time now);

// Uses the invitation up: leaves the join request of these keys, and brings a
// certificate for `tls`.
absl::StatusOr<EnrolmentClient::Joined> AskIn(const Entrance& entrance,
                                              const TlsKeyPair& tls,
                                              const SigningKey& identity,
                                              const SigningKey& witness,
                                              absl::Time now);

// The way back of one that joined before, and whose certificate ended or whose
// CA is gone: a certificate for the keys that it has, and the network's CAs by
// the word of the log's key, as the charters from `root` on name it. So a
// stranger's invitation leads nowhere. Errors as EnterNetwork.
struct Standing {
  std::string network;
  MemberId member;
  Digest root;
};
struct Return {
  CaNote ca;
  std::string members_address;
  std::string enrol_address;
  std::string certificate_pem;
};
absl::StatusOr<Return> ReturnToNetwork(
    absl::string_view line, const Standing& standing, const TlsKeyPair& tls,
    const SigningKey& identity, const SigningKey& witness, absl::Time now);

}  // namespace amparo

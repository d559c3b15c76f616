#pragma once

#include <cstdint>
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
  CaNote ca;                  // network.ca_note: by the log's key of `charter`
};

// Goes there. Whatever stands in the way is named by its one cause:
// "invalid_invitation" (the line is damaged), "invitation_expired",
// "unknown_member", "wrong_pin" (who answers is not that network's broker,
// shows another charter, or an older CA than the invitation's newest), "config"
// (a clock), "broker_unreachable" (name, port,
// something that speaks no TLS, silence). Whether the invitation was used
// before, only EnrolmentClient::Join can say. `now`: of this machine.
absl::StatusOr<Entrance> EnterNetwork(absl::string_view line, absl::Time now);

// What a join ends with where people found other words on their paper
// ("wrong_pin"), with what to do.
absl::Status WordsDiffer();

// Uses the invitation up: leaves the join request of these keys, and brings a
// certificate of the newest CA for `tls`. With the same keys it may be called
// again where the answer was lost.
absl::StatusOr<EnrolmentClient::Joined> AskIn(const Entrance& entrance,
                                              const TlsKeyPair& tls,
                                              const SigningKey& identity,
                                              const SigningKey& witness,
                                              absl::Time now);

// The way back of one that joined before, and whose certificate ended or whose
// CA is gone: a certificate for the keys that it has, and the network's CAs by
// the word of the log's key, as the charters from `root` on name it, and no
// older one than is known. So a stranger's invitation leads nowhere. Errors as
// EnterNetwork.
struct Standing {
  std::string network;
  MemberId member;
  Digest root;
  uint64_t ca_number = 0;  // of the newest CaNote that was taken
};
struct Return {
  CaNote ca;
  std::string ca_note;
  std::string members_address;
  std::string enrol_address;
  std::string certificate_pem;
};
absl::StatusOr<Return> ReturnToNetwork(
    absl::string_view line, const Standing& standing, const TlsKeyPair& tls,
    const SigningKey& identity, const SigningKey& witness, absl::Time now);

}  // namespace amparo

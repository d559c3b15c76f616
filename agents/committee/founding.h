#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/network/charter.h"
#include "proto/network/member.h"
#include "proto/network/network_file.h"

// Version 1 of a charter: who founds the network, and who will decide.

namespace amparo::committee {

struct Founder {
  MemberId id;
  MemberKind kind;
  std::string name;
};
// "ID:KIND" or "ID:KIND:NAME". INVALID_ARGUMENT, of `field`, says which of them
// is wrong and what there is.
absl::StatusOr<Founder> ParseFounder(absl::string_view text,
                                     const char* field = "--member");

// The members that hold the governance keys when nobody says otherwise: the
// first five that have a mailbox.
std::vector<MemberId> DefaultSeats(const std::vector<Founder>& founders);
// More than half of `seats`.
uint32_t DefaultThreshold(size_t seats);

struct Founding {
  NetworkFile network;
  std::vector<Founder> founders;
  std::vector<GovernanceKey> governance;
  uint32_t threshold = 0;
  std::string title;
  std::string timezone;
  std::string jurisdiction;
  absl::Duration trust_delay;
  absl::Time now;
};
// Members invited, without keys; the defaults of docs/PROTOCOL.md for the rest.
Charter FoundCharter(const Founding& founding);

}  // namespace amparo::committee

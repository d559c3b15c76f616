#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/institution/daemon/data_dir.h"
#include "base/clock.h"

namespace amparo::agent {

struct JoinOptions {
  std::string invitation;  // one line of text
  Unlock unlock = Unlock::kPrompt;
  bool words_confirmed = false;  // the words were compared on the paper protocol
  // Shows the network's words and asks whether they stand in the paper.
  std::function<bool(absl::string_view words)> confirm_words;
};

struct Joined {
  MemberId member;
  std::string network;
  std::string network_words;
  std::string request_words;  // for the committee to compare by phone
};

// Joins a network: fetches its charter from the root on, makes this agent's
// keys, gets a certificate, leaves the join request. Every failure names its
// one cause (codes invalid_invitation, invitation_expired, invitation_used,
// wrong_pin, broker_unreachable, config). Running it again with the same
// invitation goes on where it stopped.
absl::StatusOr<Joined> Join(const DataDir& data, const JoinOptions& options,
                            const Clock& clock);

}  // namespace amparo::agent

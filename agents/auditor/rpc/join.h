#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"

namespace amparo::auditor {

struct JoinOptions {
  std::string invitation;        // one line of text
  std::string folder;            // of the profile
  bool words_confirmed = false;  // compared with the paper protocol
  // Shows the network's words and asks whether they stand in the paper.
  std::function<bool(absl::string_view words)> confirm_words;
};

struct Joined {
  std::string member;
  std::string network;
  std::string network_words;
  std::string request_words;  // for the committee to compare by phone
};

// Joins a network as an auditor: checks its charters from the invitation's root
// on, makes this auditor's keys, gets a certificate, leaves the join request
// and writes the profile. Running it again goes on where it stopped.
absl::StatusOr<Joined> Join(const JoinOptions& options, const Clock& clock);

// The way back for the profile in `folder` whose certificate ended, or whose
// auditor was away while the network's CA changed (proto/grpc/entrance.h).
absl::Status Reconnect(const std::string& folder, absl::string_view invitation,
                       const Clock& clock);

}  // namespace amparo::auditor

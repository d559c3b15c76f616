#pragma once

#include <algorithm>
#include <array>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Of a disclosure without consent, by a supervisor who did not decide it
// (docs/PROTOCOL.md, Disclosure without consent).

namespace amparo {

inline constexpr absl::Duration kReviewWithin = absl::Hours(72);

inline constexpr std::array<absl::string_view, 3> kReviewOutcomes = {
    "justified", "excessive", "unjustified"};
inline bool IsReviewOutcome(absl::string_view text) {
  return std::find(kReviewOutcomes.begin(), kReviewOutcomes.end(), text) !=
         kReviewOutcomes.end();
}

}  // namespace amparo

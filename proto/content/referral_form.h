#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/content/codes.h"
#include "proto/content/section.h"
#include "proto/network/member.h"

namespace amparo {

inline constexpr size_t kFormBytesMax = 1 << 20;

// What an officer fills in to refer somebody: referral_form/1.
struct ReferralForm {
  std::optional<Priority> priority;  // --priority wins over it
  std::string purpose;               // where a recipient has none of its own
  std::map<MemberId, std::string> recipient_purposes;
  std::optional<MemberId> first_contact;  // for whom C in the matrix is full
  Sections sections;

  const std::string& PurposeFor(const MemberId& recipient) const;
};

// What replaces sections of a referral: update_form/1.
struct UpdateForm {
  Sections sections;  // at least one
};

// INVALID_ARGUMENT: code "invalid_form" with the JSON pointer of the first
// fault and what was expected; code "too_large" beyond 1 MiB.
absl::StatusOr<ReferralForm> ParseReferralForm(absl::string_view text);
absl::StatusOr<UpdateForm> ParseUpdateForm(absl::string_view text);

}  // namespace amparo

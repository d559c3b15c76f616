#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/network/member.h"

namespace amparo {

// Whose access log a checkpoint is of, by its origin "NETWORK/access/MEMBER".
// Anybody can write that: only the note's signature says that it is so.
struct AccessOrigin {
  std::string network;
  MemberId member;
};
std::string FormatAccessOrigin(absl::string_view network,
                               const MemberId& member);
// INVALID_ARGUMENT for the origin of anything else.
absl::StatusOr<AccessOrigin> ParseAccessOrigin(absl::string_view origin);

}  // namespace amparo

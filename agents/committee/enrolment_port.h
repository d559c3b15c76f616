#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "proto/network/member.h"

namespace amparo::committee {

// The broker's enrolment port, as the committee uses it. What it answers is
// not believed before it is verified. UNAVAILABLE when it is not reachable.
class EnrolmentPort {
 public:
  virtual ~EnrolmentPort() = default;

  // `founding_token`: for version 1. ALREADY_EXISTS when the broker holds
  // another document for the version.
  virtual absl::Status PublishCharter(
      const std::string& document,
      const std::optional<Bytes>& founding_token) = 0;
  // The same document again is OK.
  virtual absl::Status PublishSuspension(const std::string& document) = 0;
  // A published version. NOT_FOUND when there is none.
  virtual absl::StatusOr<std::string> GetCharter(uint64_t version) = 0;
  // The newest join request of `member`. NOT_FOUND when there is none.
  virtual absl::StatusOr<std::string> GetJoinRequest(
      const MemberId& member) = 0;
};

}  // namespace amparo::committee

#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/envelope/access_record.h"

namespace amparo::auditor {

inline constexpr size_t kOwnCasesBytesMax = 16 << 20;

// The institution's own list of an officer's cases: one id a line.
// INVALID_ARGUMENT (code "usage") naming the first line that is none, or for a
// list of nothing.
absl::StatusOr<std::set<std::string>> ParseOwnCases(absl::string_view text);

// Whose case a case is. Without a list: an officer's who, anywhere in the same
// access log, recorded, extended or revoked a consent in it, or sent, updated,
// disclosed, withdrew, accepted, declined or closed a referral of it. One
// thread at a time.
class OwnCases {
 public:
  // `officer`: the beginning of an id.
  OwnCases(std::string officer, std::optional<std::set<std::string>> listed)
      : officer_(std::move(officer)), listed_(std::move(listed)) {}

  // Every record, before anything is asked.
  void Learn(const AccessRecord& record);
  // NOT_FOUND (code "not_found") for an officer, or a list of cases, that no
  // record names; INVALID_ARGUMENT (code "ambiguous_id") when a list is for
  // several officers. Silence would read as an acquittal.
  absl::Status CheckKnown() const;

  // Whether an officer looked at, or for, something that is not of its cases.
  bool IsOutside(const AccessRecord& record) const;
  // Cases of the list that no record names.
  uint64_t unseen() const;

 private:
  const std::string officer_;
  const std::optional<std::set<std::string>> listed_;
  std::set<std::string> officers_;                       // that begin so
  std::set<std::string> seen_;                           // of the list
  std::set<std::pair<std::string, std::string>> acted_;  // officer, case
};

}  // namespace amparo::auditor

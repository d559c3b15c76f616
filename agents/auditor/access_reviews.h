#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/envelope/access_record.h"

namespace amparo::auditor {

// How a disclosure without consent was reviewed: within 72 hours, by somebody
// else than who decided it.
struct BasisReview {
  enum class State { kDue, kMissing, kInTime, kLate };
  State state = State::kDue;
  absl::Time due;
  // Of the first review that counts; empty without one.
  std::string outcome;
  std::string officer;
  std::optional<uint64_t> record;
  std::optional<absl::Time> at;

  bool IsLate() const {
    return state == State::kMissing || state == State::kLate;
  }
};
absl::string_view NameOf(BasisReview::State state);  // "due", "missing", ...

// What an access log says of the bases that were used in it, and of their
// reviews. One thread at a time.
class AccessReviews {
 public:
  // Every record, in order, before anything is asked.
  void Learn(const AccessRecord& record);

  // Nullopt where `record` is no disclosure without consent. What is not
  // reviewed is missing when its time was over at `now`.
  std::optional<BasisReview> Of(const AccessRecord& record,
                                absl::Time now) const;

 private:
  struct Basis {
    std::string officer;  // who decided
    absl::Time at;
    std::optional<AccessRecord> review;
  };
  std::map<std::string, Basis> bases_;
};

}  // namespace amparo::auditor

#include "agents/officer/command.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace amparo::officer {

std::string Command::Value(const std::string& flag) const {
  const auto found = values.find(flag);
  return found == values.end() || found->second.empty() ? ""
                                                        : found->second.back();
}

std::vector<std::string> Command::List(const std::string& flag) const {
  const auto found = values.find(flag);
  return found == values.end() ? std::vector<std::string>() : found->second;
}

absl::StatusOr<uint64_t> Command::Number(const std::string& flag,
                                         uint64_t fallback, uint64_t min,
                                         uint64_t max) const {
  if (!Has(flag)) return fallback;
  return ParseNumber(flag, Value(flag), min, max);
}

absl::StatusOr<uint64_t> ParseNumber(const std::string& flag,
                                     absl::string_view typed, uint64_t min,
                                     uint64_t max) {
  uint64_t number = 0;
  if (absl::SimpleAtoi(typed, &number) && number >= min && number <= max)
    return number;
  return MakeError(
      absl::StatusCode::kInvalidArgument,
      absl::StrCat("--", flag, " is not a number that can be used"),
      {.code = "usage",
       .field = absl::StrCat("--", flag),
       .expected = absl::StrCat("a whole number from ", min, " to ", max)});
}

}  // namespace amparo::officer

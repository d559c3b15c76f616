#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/officer/grammar.h"

namespace amparo::officer {

// What was typed, checked against the grammar.
struct Command {
  enum class Kind { kRun, kHelp, kVersion } kind = Kind::kRun;
  const Verb* verb = nullptr;  // kRun: always; kHelp: where help is for one
  absl::string_view noun;      // kHelp: the noun it is for; empty: for all
  std::string id;
  // By flag; a list of one for most.
  std::map<std::string, std::vector<std::string>> values;
  std::string profile;  // empty: not typed
  bool json = false;
  bool plain = false;
  bool no_color = false;

  bool Has(const std::string& flag) const { return values.contains(flag); }
  // The flag's value; empty when it was not typed.
  std::string Value(const std::string& flag) const;
  std::vector<std::string> List(const std::string& flag) const;
  // `fallback` when it was not typed. INVALID_ARGUMENT (code "usage") when it
  // is no whole number from `min` to `max`.
  absl::StatusOr<uint64_t> Number(const std::string& flag, uint64_t fallback,
                                  uint64_t min, uint64_t max) const;
};

// The number that was typed for `flag`. INVALID_ARGUMENT as above.
absl::StatusOr<uint64_t> ParseNumber(const std::string& flag,
                                     absl::string_view typed, uint64_t min,
                                     uint64_t max);

}  // namespace amparo::officer

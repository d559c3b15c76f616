#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/json.h"
#include "crypto/keys.h"
#include "proto/network/charter.h"

// What a charter says, for people who never read JSON or a key.

namespace amparo::committee {

// A value of the signed form: texts in quotes, lists with commas, tables as
// "name value", a log's or witness's key as its name and words.
std::string InWords(const Json& value);

// A member's key, as eight words; "none".
std::string InWords(const std::optional<VerifyKey>& key);

// What the signed form says under one of its names, `value`, in sentences; what
// has no sentence of its own is told by its name. Nothing for the network's
// name and title, its members and governance keys.
std::vector<std::string> DescribeTerm(const Charter& charter,
                                      const std::string& name,
                                      const Json& value);

// Everything that the signed form says besides the network's name and title,
// its members and governance keys, as DescribeTerm() has it.
std::vector<std::string> DescribeTerms(const Charter& charter);

}  // namespace amparo::committee

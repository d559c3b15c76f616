#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/json.h"

// What `amparo-charter set` can change, by name. A name is the path to a key of
// the signed form; values are the texts of a command line.

namespace amparo::committee {

enum class ListChange { kReplace, kAdd, kRemove };

// `charter` (its signed form) with the key at `name` changed. INVALID_ARGUMENT
// (code "usage") for a name that cannot be set, naming those that can, or for
// values of another form; whether a charter results is the decoder's to say.
// `name`: one word with dots, or several: "deadlines.urgent.decide" or
// {"deadlines", "urgent", "decide"}; the words after it are the values.
struct Setting {
  std::string name;  // with dots
  Json charter;
};
absl::StatusOr<Setting> ApplySetting(Json charter,
                                     const std::vector<std::string>& words,
                                     ListChange change);

// A line for each setting: its name and what it takes. For --help.
std::string SettingsText();

}  // namespace amparo::committee

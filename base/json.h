#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace amparo {

// A JSON value; objects keep the order in which keys were read or set.
using Json = nlohmann::ordered_json;

inline constexpr size_t kJsonDepthMax = 16;

// Parses exactly one JSON value. INVALID_ARGUMENT, without content in the
// message, for: malformed or trailing input, a byte order mark, invalid UTF-8, a
// key twice in one object, nesting beyond `depth_max`, a number beyond int64 or
// double.
absl::StatusOr<Json> ParseJson(absl::string_view text,
                               size_t depth_max = kJsonDepthMax);

// Compact, UTF-8, keys in their order. Precondition: strings are UTF-8.
std::string DumpJson(const Json& value);

// `key` of `object` with the asked type. INVALID_ARGUMENT names the key when it
// is missing or of another type.
absl::StatusOr<std::string> JsonString(const Json& object, const char* key);
absl::StatusOr<int64_t> JsonInt(const Json& object, const char* key);

// INVALID_ARGUMENT when `object` is none, or holds a key that is not listed.
absl::Status JsonKeysWithin(const Json& object,
                            std::initializer_list<absl::string_view> keys);

}  // namespace amparo

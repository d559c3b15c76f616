#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "crypto/digest.h"

namespace amparo {

// An object of outside JSON, read key by key; a key nobody asked for is an
// error. The first thing wrong is remembered and reported by Finish(), so that
// a decoder reads as a list of its fields; until then every value is to be
// treated as unchecked. Keeps a reference to the object. One thread at a time.
class Fields {
 public:
  // `pointer`: where the object stands in its document (RFC 6901).
  explicit Fields(const Json& object, std::string pointer = "");

  // True when `key` is there; it counts as asked for.
  bool Has(const char* key);

  // Each fails when `key` is missing, of another type or out of its range.
  std::string Text(const char* key, size_t size_max);
  int64_t Int(const char* key, int64_t min, int64_t max);
  absl::Time Time(const char* key);  // RFC 3339, UTC
  Digest Hash(const char* key);      // "sha256:..."
  // A list of different texts, none empty.
  std::vector<std::string> Texts(const char* key, size_t count_max,
                                 size_t size_max);
  // What `parse` makes of the text at `key`; nullopt when it fails.
  template <typename T>
  std::optional<T> Parsed(const char* key,
                          absl::StatusOr<T> (*parse)(absl::string_view)) {
    return Keep(key, parse(Text(key, kTextBytesMax)));
  }
  // The same where an empty text, or none, stands for no value.
  template <typename T>
  std::optional<T> ParsedOrNone(const char* key,
                                absl::StatusOr<T> (*parse)(absl::string_view)) {
    if (!Has(key)) return std::nullopt;
    const std::string text = Text(key, kTextBytesMax);
    if (text.empty()) return std::nullopt;
    return Keep(key, parse(text));
  }
  // The object or list at `key`; an empty one when it fails.
  const Json& Object(const char* key);
  const Json& List(const char* key, size_t count_max);

  // Where `key` stands, for the Fields of an inner object.
  std::string PointerTo(absl::string_view key) const;

  // Remembers a failure found elsewhere.
  void Fail(absl::string_view key, absl::string_view why);
  void Merge(const absl::Status& status);
  bool ok() const { return status_.ok(); }

  // INVALID_ARGUMENT, code "invalid_form", naming the field.
  absl::Status Finish();

 private:
  static constexpr size_t kTextBytesMax = 1024;

  template <typename T>
  std::optional<T> Keep(const char* key, absl::StatusOr<T> value) {
    if (value.ok()) return *std::move(value);
    Fail(key, value.status().message());
    return std::nullopt;
  }
  const Json* Find(const char* key);

  const Json& object_;
  const std::string pointer_;
  std::set<std::string> asked_;
  absl::Status status_;
};

}  // namespace amparo

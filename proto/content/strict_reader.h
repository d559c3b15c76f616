#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "proto/content/codes.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo {

inline constexpr size_t kTextBytesMax = 32 << 10;
inline constexpr size_t kListMax = 256;

// Text that a person wrote or will read: UTF-8 without control characters (they
// drive terminals) but tab and line feed.
bool IsPlainText(absl::string_view text, size_t size_max = kTextBytesMax);

// Reads an object of outside JSON field by field and remembers the first fault:
// its JSON pointer and what was expected, never what was there. After a fault
// values are empty; look at status() before using any. Readers of parts share
// the fault of their whole. The JSON must outlive the reader.
class StrictReader {
 public:
  // Faults are INVALID_ARGUMENT with `code`.
  StrictReader(const Json& json, absl::string_view code,
               std::string pointer = "");

  const absl::Status& status() const { return *fault_; }
  void Fail(absl::string_view key, absl::string_view expected);

  // Refuses any other key; the first thing to call.
  void Keys(std::initializer_list<absl::string_view> keys);
  // Present and not null.
  bool Has(absl::string_view key) const;
  const Json* Find(absl::string_view key) const;

  std::string Text(absl::string_view key, size_t size_max = kTextBytesMax);
  std::optional<std::string> OptionalText(absl::string_view key);
  std::string Code(absl::string_view key, CodeList codes);
  bool Bool(absl::string_view key);
  int64_t Int(absl::string_view key, int64_t min, int64_t max);
  std::optional<absl::Time> OptionalTime(absl::string_view key);
  absl::Time Time(absl::string_view key);
  absl::Time UnixTime(absl::string_view key);
  Digest Hash(absl::string_view key);
  std::optional<Digest> OptionalHash(absl::string_view key);
  std::optional<MemberId> Member(absl::string_view key);
  std::vector<std::string> Texts(absl::string_view key,
                                 size_t count_max = kListMax);
  std::vector<std::string> Codes(absl::string_view key, CodeList codes);

  // Missing ids are a fault.
  template <typename Id>
  std::optional<Id> IdAt(absl::string_view key, absl::string_view expected) {
    const std::string text = Text(key);
    if (!status().ok()) return std::nullopt;
    const absl::StatusOr<Id> id = Id::Parse(text);
    if (!id.ok()) {
      Fail(key, expected);
      return std::nullopt;
    }
    return *id;
  }
  template <typename Id>
  std::optional<Id> OptionalIdAt(absl::string_view key,
                                 absl::string_view expected) {
    if (!Has(key)) return std::nullopt;
    return IdAt<Id>(key, expected);
  }

  StrictReader Object(absl::string_view key);
  // Calls `each` with a reader of every object in the list.
  void ForEach(absl::string_view key,
               const std::function<void(StrictReader&)>& each);

 private:
  StrictReader(const Json& json, absl::string_view code, std::string pointer,
               std::shared_ptr<absl::Status> fault);
  void FailHere(absl::string_view expected);
  // The value when it is there; its lack is a fault.
  const Json* Require(absl::string_view key, absl::string_view expected);
  const Json* RequireList(absl::string_view key, absl::string_view expected,
                          size_t count_max = kListMax);

  const Json& json_;
  std::string code_;
  std::string pointer_;
  std::shared_ptr<absl::Status> fault_;
};

// "one of: a b c"
std::string OneOf(CodeList codes);
// "invalid_form" and the like.
absl::Status FaultAt(absl::string_view code, absl::string_view pointer,
                     absl::string_view expected);

}  // namespace amparo

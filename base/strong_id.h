#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace amparo {

// A name that was checked at the edge and is only passed on afterwards:
// [a-z][a-z0-9-]{0,31}. Ids with different tags do not convert.
template <typename Tag>
class StrongId {
 public:
  static absl::StatusOr<StrongId> Parse(absl::string_view text) {
    const bool fits = !text.empty() && text.size() <= 32 && text[0] >= 'a' &&
                      text[0] <= 'z' &&
                      text.find_first_not_of(
                          "abcdefghijklmnopqrstuvwxyz0123456789-") ==
                          absl::string_view::npos;
    if (!fits)
      return absl::InvalidArgumentError(
          "not a name: expected [a-z][a-z0-9-]{0,31}");
    return StrongId(std::string(text));
  }
  const std::string& text() const { return text_; }
  auto operator<=>(const StrongId&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const StrongId& id) {
    return H::combine(std::move(h), id.text_);
  }

 private:
  explicit StrongId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// A number of one kind: a leaf index does not become a tree size by accident.
template <typename Tag>
class StrongNumber {
 public:
  constexpr StrongNumber() = default;
  constexpr explicit StrongNumber(uint64_t value) : value_(value) {}
  constexpr uint64_t value() const { return value_; }
  auto operator<=>(const StrongNumber&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const StrongNumber& number) {
    return H::combine(std::move(h), number.value_);
  }

 private:
  uint64_t value_ = 0;
};

}  // namespace amparo

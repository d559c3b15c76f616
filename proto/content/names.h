#pragma once

#include <array>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"

namespace amparo {

// The names of an enum's values, for NameOf and Parse alike.
template <typename E, size_t kCount>
using Names = std::array<std::pair<E, absl::string_view>, kCount>;

// Precondition: the table is complete.
template <typename E, size_t kCount>
absl::string_view NameIn(const Names<E, kCount>& names, E value) {
  for (const auto& [candidate, name] : names)
    if (candidate == value) return name;
  return "";
}

template <typename E, size_t kCount>
std::optional<E> ValueIn(const Names<E, kCount>& names,
                         absl::string_view name) {
  for (const auto& [value, candidate] : names)
    if (candidate == name) return value;
  return std::nullopt;
}

}  // namespace amparo

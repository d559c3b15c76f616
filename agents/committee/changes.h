#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/network/charter.h"

namespace amparo::committee {

// What signing `after` would change against `before` (nullopt: nothing was
// published yet), a sentence a line, for people who are about to sign. Ends
// with what they should know of the result.
std::vector<std::string> DescribeChanges(const std::optional<Charter>& before,
                                         const Charter& after);

// Whether both say the same, whatever their place among the versions.
bool SayTheSame(const Charter& one, const Charter& other);

// The differences alone: none when both say the same.
std::vector<std::string> DescribeDifferences(const Charter& before,
                                             const Charter& after);

}  // namespace amparo::committee

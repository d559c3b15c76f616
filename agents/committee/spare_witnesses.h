#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/network/charter.h"

namespace amparo::committee {

// What people should know of a draft's witnesses before they sign it, a line
// each: a quorum that can spare nobody, one that binds nobody, a draft that
// parts with witnesses that it needs itself to come into force, outsiders that
// the broker has to be told of. None: there is nothing to say. `before`: the
// version that it follows, nullopt for the first.
std::vector<std::string> WitnessWarnings(const std::optional<Charter>& before,
                                         const Charter& draft);

}  // namespace amparo::committee

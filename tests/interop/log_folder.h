#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace amparo {

// Writes a log of `size` made-up entries into the new folder `path`, laid out
// as an exported one: tiles and bundles (C2SP tlog-tiles) and a checkpoint
// signed by a fresh key. No openings, no documents.
absl::Status WriteLogFolder(const std::string& path, uint64_t size);

}  // namespace amparo

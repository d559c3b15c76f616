#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/envelope/access_record.h"

namespace amparo::auditor {

inline constexpr size_t kAccessExportBytesMax = 512 << 20;
// No record is shorter than 128 bytes.
inline constexpr size_t kAccessLinesMax = kAccessExportBytesMax / 128;

// What `amparo access-log --export` wrote, taken apart. Nothing is believed:
// lines that are no record, and a file without an end, are told as they are.
struct AccessExport {
  // What the tree hashes, in the file's order; they live as long as the text.
  std::vector<absl::string_view> lines;
  // From the last line; nullopt when the file just stops.
  struct End {
    uint64_t size = 0;
    std::string checkpoint;  // a signed note, or empty
  };
  std::optional<End> end;
};
// Never fails: a text that is no export has no end, and what follows the line
// kAccessLinesMax is one line more, that is no record.
AccessExport SplitAccessExport(absl::string_view text);

}  // namespace amparo::auditor

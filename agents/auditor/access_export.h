#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace amparo::auditor {

inline constexpr size_t kAccessRecordBytesMax = 64 << 10;
inline constexpr size_t kAccessExportBytesMax = 512 << 20;

// One look or decision at an institution, as its access log tells it. Texts
// are pseudonyms and codes; empty where they do not apply.
struct AccessRecord {
  uint64_t seq = 0;
  absl::Time at;
  std::string officer, affiliation, action, case_id;
  std::vector<std::string> sections;
  std::string grant_or_basis, justification, outcome;
};
// INVALID_ARGUMENT for what is no record (docs/PROTOCOL.md, Access log export).
absl::StatusOr<AccessRecord> ParseAccessRecord(absl::string_view line);

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
// Never fails: a text that is no export has no end.
AccessExport SplitAccessExport(absl::string_view text);

}  // namespace amparo::auditor

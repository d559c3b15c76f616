#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

// The folder in which a log is handed over, by the broker's `export` and the
// agent's `export-mirror` (docs/PROTOCOL.md, Export). Tiles and bundles:
// crypto/tile.h.

namespace amparo {

// A signed checkpoint; where the charter asks for witnesses, with a quorum.
inline constexpr char kCheckpointFile[] = "checkpoint";
// A mirror's: the newest one that its agent followed.
inline constexpr char kNewestFile[] = "newest";
inline constexpr char kNetworkFile[] = "network.json";

// "charter-checkpoints/VERSION": under which a charter came into force.
inline constexpr char kCharterCheckpointsFolder[] = "charter-checkpoints";

// "documents/HEX.json"
std::string DocumentPath(const Digest& hash);
// "openings/x001/234.jsonl": of the leaves of a bundle.
std::string OpeningsPath(uint64_t bundle);

// What opens the commitment of a leaf, in one line of that file.
struct OpeningLine {
  LeafIndex leaf;
  Bytes salt;   // 32 bytes
  Bytes event;  // EncodeAuditEvent
};
// With its newline. INVALID_ARGUMENT for an event that cannot be read.
absl::StatusOr<std::string> FormatOpeningLine(const OpeningLine& opening);
// INVALID_ARGUMENT for what FormatOpeningLine does not make.
absl::StatusOr<OpeningLine> ParseOpeningLine(absl::string_view line);

}  // namespace amparo

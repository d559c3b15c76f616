#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "proto/envelope/log_folder.h"

namespace amparo::broker {

// A member's copy of the log, from which a lost one is brought back. Nothing
// that it says is believed. INVALID_ARGUMENT: it stands there in a wrong form,
// or is too large; any other error: it cannot be read now. One thread at a
// time.
class MirrorSource {
 public:
  virtual ~MirrorSource() = default;

  // Where it is, for messages.
  virtual const std::string& name() const = 0;
  // Signed checkpoints: one at least, or NOT_FOUND.
  virtual absl::StatusOr<std::vector<std::string>> Notes() = 0;
  // Signed checkpoints under which charters came into force; often none.
  virtual absl::StatusOr<std::vector<std::string>> CharterNotes() = 0;
  // Whether it has more than notes. Without, all others are asked.
  virtual bool has_entries() const { return true; }
  // The first `width` entries of a bundle. NOT_FOUND when they are not there.
  virtual absl::StatusOr<std::vector<Bytes>> Bundle(uint64_t index,
                                                    uint32_t width) = 0;
  // A charter; NOT_FOUND.
  virtual absl::StatusOr<std::string> Document(const Digest& hash) = 0;
  // What opens entries of a bundle; empty when nothing does.
  virtual absl::StatusOr<std::vector<OpeningLine>> Openings(uint64_t index) = 0;
};

}  // namespace amparo::broker

#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "broker/store/store.h"
#include "crypto/note.h"

namespace amparo::broker {

// What was looked at, and is right.
struct WholeCheck {
  TreeSize size;
  Digest root;
  uint64_t openings = 0;
  uint64_t envelopes = 0;
  uint64_t publications = 0;
};

// All that the store holds, for `amparo-broker check`: what CheckStart looks
// at; every entry against the tree; every opening against its entry, and the
// envelope's record against both; every charter. O(n), beside a running ledger:
// what is logged meanwhile is not looked at. DATA_LOSS, code "tampered" or
// "root_mismatch", names the first entry that is wrong.
absl::StatusOr<WholeCheck> CheckWhole(const Store& store,
                                      const NoteVerifier& log,
                                      std::span<const std::string> known);

}  // namespace amparo::broker

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/kv/kv.h"
#include "crypto/digest.h"
#include "proto/envelope/envelope.h"
#include "proto/network/member.h"

namespace amparo::agent {

// Links of one chain that never came.
struct Gap {
  MemberId sender;
  Digest kid;
  uint64_t first = 0, last = 0;
  absl::Time since;
  bool asked = false;
};

enum class LinkFinding {
  kNext,  // the one expected
  kGap,   // others are missing before it
  kLate,  // fills a gap
  kFork,  // another envelope bears the same number, or names another past
};

// The chains of envelopes from each peer, as their headers tell: what was
// dropped, and two stories under one number. Not thread-safe: the intake's.
class LinkBook {
 public:
  explicit LinkBook(KeyValue& kv) : kv_(kv) {}  // must outlive this

  // What this envelope's place says; `rows` remember it.
  absl::StatusOr<LinkFinding> Place(const Header& header, const Digest& digest,
                                    absl::Time now, Batch& rows);
  // The sender says that it has nothing (more) for these links.
  absl::Status Settle(const MemberId& sender, const Digest& kid, uint64_t first,
                      uint64_t last, Batch& rows);
  // Gaps older than `age` that were not asked for yet.
  absl::StatusOr<std::vector<Gap>> Unasked(absl::Time now, absl::Duration age) const;
  void MarkAsked(Gap gap, Batch& rows) const;
  // Whether any gap is open from `sender`.
  absl::StatusOr<bool> HasGap(const MemberId& sender) const;

 private:
  absl::StatusOr<std::vector<Gap>> GapsOf(const MemberId& sender) const;

  KeyValue& kv_;
};

}  // namespace amparo::agent

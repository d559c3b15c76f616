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

// Links of one chain that never came. `last` is kLinkMax at the end of a chain
// of which nobody knows how long it was.
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
  kFork,  // the sender signed two stories of its past
};

// The chains of envelopes from each peer, as their headers tell: what was
// dropped, and two stories under one number. What a broker can bring about by
// dropping and delaying is never a fork: that takes two signed headers which
// contradict each other. Not thread-safe: the intake's.
class LinkBook {
 public:
  explicit LinkBook(KeyValue& kv) : kv_(kv) {}  // must outlive this

  // What this envelope's place says; `rows` remember it. `kids`: the sender's
  // signing keys as the log has them, oldest first; its chains follow one
  // another in that order.
  absl::StatusOr<LinkFinding> Place(const Header& header, const Digest& digest,
                                    const std::vector<Digest>& kids,
                                    absl::Time now, Batch& rows);
  // Links up to `last` were there, and were not placed: what of them comes
  // after the chain's end is a gap now.
  absl::Status MissUpTo(const MemberId& sender, const Digest& kid,
                        uint64_t last, absl::Time now, Batch& rows);
  // The sender says that it has nothing (more) for these links. A gap that goes
  // on after them is asked for again.
  absl::Status Settle(const MemberId& sender, const Digest& kid, uint64_t first,
                      uint64_t last, Batch& rows);
  // Gaps older than `age` that were not asked for yet.
  absl::StatusOr<std::vector<Gap>> Unasked(absl::Time now,
                                           absl::Duration age) const;
  absl::Status MarkAsked(const Gap& gap, Batch& rows) const;
  // Whether any gap is open from `sender`.
  absl::StatusOr<bool> HasGap(const MemberId& sender) const;
  // Of this key.
  absl::StatusOr<bool> HasGap(const MemberId& sender, const Digest& kid) const;

 private:
  KeyValue& kv_;
};

}  // namespace amparo::agent

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "crypto/merkle.h"
#include "proto/content/case_state.h"
#include "proto/content/payload.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo::agent {

// The quarantine: mail that did not pass, kept as it came and never shown
// (docs/PROTOCOL.md, Receiving). Bounded for each sender, so that nobody fills
// the disk. Thread-safe.
class RefusedMail {
 public:
  static constexpr size_t kPerSenderMax = 256;
  static constexpr size_t kBytesPerSenderMax = size_t{16} << 20;

  // `kv`, encrypted at rest, must outlive this.
  static absl::StatusOr<std::unique_ptr<RefusedMail>> Open(KeyValue& kv);

  // `sender`: none where nothing proves who it was; all of that counts as of
  // one.
  bool HasRoom(const std::optional<MemberId>& sender, size_t bytes) const;
  // Writes it together with `rows`, room or not: what was acknowledged is kept.
  absl::Status Keep(LeafIndex leaf, const std::optional<MemberId>& sender,
                    ByteView bytes, Batch rows);
  uint32_t size() const;

 private:
  struct Share {
    size_t count = 0, bytes = 0;
  };
  explicit RefusedMail(KeyValue& kv) : kv_(kv) {}

  KeyValue& kv_;
  mutable Mutex mutex_;
  std::map<std::optional<MemberId>, Share> shares_ ABSL_GUARDED_BY(mutex_);
};

// The cases that a message may be about that is not folded: as its payload and
// its document say. nullopt where that cannot be read: any of its sender's.
std::optional<std::set<CaseId>> CasesOf(const Payload* payload);

// Notes that the envelope of `leaf` came, was acknowledged, and is not among
// the events of its case: who opens the case lists it as unopened.
void NoteUnfolded(LeafIndex leaf, const MemberId& sender,
                  const std::optional<std::set<CaseId>>& cases, Batch& rows);
// It is by now.
void ForgetUnfolded(LeafIndex leaf, Batch& rows);
// Of the case `state`, in leaf order.
absl::StatusOr<std::vector<LeafIndex>> UnfoldedOf(const KeyValue& kv,
                                                  const CaseState& state);

}  // namespace amparo::agent

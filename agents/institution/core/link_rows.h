#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/institution/core/link_book.h"
#include "base/kv/kv.h"
#include "crypto/digest.h"

namespace amparo::agent {

// A link that came.
struct KnownLink {
  Digest digest;
  Digest prev;  // what it names as the one before
};

// One signing key's chain, as far as it came.
struct Chain {
  uint64_t seq = 0;  // of the last link; 0: none came
  Digest digest;
  Digest
      ended_by;  // the later key whose first link names this last one; or zero
};

// How the link book's rows of one sender are stored. A change to `rows` is seen
// by what is read after it. Refers to its arguments; one thread at a time.
class LinkRows {
 public:
  LinkRows(const KeyValue& kv, MemberId sender, Batch& rows)
      : kv_(kv), sender_(std::move(sender)), rows_(rows) {}

  absl::StatusOr<std::optional<KnownLink>> Link(const Digest& kid,
                                                uint64_t seq) const;
  void PutLink(const Digest& kid, uint64_t seq, const KnownLink& link);
  // Whether any link has this digest. Walks through all of them.
  absl::StatusOr<bool> Knows(const Digest& digest) const;

  absl::StatusOr<Chain> ChainOf(const Digest& kid) const;
  void PutChain(const Digest& kid, const Chain& chain);

  // The key whose first link names `digest`, which did not come, as the one
  // before.
  absl::StatusOr<std::optional<Digest>> NamedBy(const Digest& digest) const;
  void PutNamed(const Digest& digest, const Digest& kid);

  absl::StatusOr<std::vector<Gap>> Gaps() const;
  void PutGaps(const std::vector<Gap>& gaps);

  // Of all senders, as stored.
  static absl::StatusOr<std::vector<Gap>> AllGaps(const KeyValue& kv);

 private:
  absl::StatusOr<std::optional<Bytes>> Get(const std::string& key) const;
  std::string Key(const char* prefix, const Digest& digest) const;
  std::string LinkKey(const Digest& kid, uint64_t seq) const;

  const KeyValue& kv_;
  const MemberId sender_;
  Batch& rows_;
};

}  // namespace amparo::agent

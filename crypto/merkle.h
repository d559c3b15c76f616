#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/strong_id.h"
#include "crypto/digest.h"

// The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2): pure functions.

namespace amparo {

// Position of an entry, from 0; and number of entries. Not the same number:
// they do not convert.
using LeafIndex = StrongNumber<struct LeafIndexTag>;
using TreeSize = StrongNumber<struct TreeSizeTag>;

// SHA-256(0x00 || entry).
Digest LeafHash(ByteView entry);
// SHA-256(0x01 || left || right).
Digest NodeHash(const Digest& left, const Digest& right);
// Root of the empty tree: SHA-256 of nothing.
Digest EmptyRoot();

// OK when `proof` shows that `leaf` stands at `index` in the tree of `size`
// entries with `root`. PERMISSION_DENIED otherwise. RFC 9162 section 2.1.3.2.
absl::Status VerifyInclusion(const Digest& leaf, LeafIndex index, TreeSize size,
                             std::span<const Digest> proof, const Digest& root);

// OK when `proof` shows that the tree (`old_size`, `old_root`) is a prefix of
// (`new_size`, `new_root`). PERMISSION_DENIED otherwise; old_size 0 is refused:
// it needs no proof and callers handle it first. RFC 9162 section 2.1.4.2.
absl::Status VerifyConsistency(TreeSize old_size, const Digest& old_root,
                               TreeSize new_size, const Digest& new_root,
                               std::span<const Digest> proof);

// The root of the first `old_size` entries of the tree (`new_size`,
// `new_root`), as a consistency proof between the two shows it: whoever knows
// another root of that size has two histories. PERMISSION_DENIED when `proof`
// does not lead to `new_root`, and for an `old_size` that is a power of two:
// such a root is no part of its proof.
absl::StatusOr<Digest> PrefixRoot(TreeSize old_size, TreeSize new_size,
                                  const Digest& new_root,
                                  std::span<const Digest> proof);

}  // namespace amparo

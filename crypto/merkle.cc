#include "crypto/merkle.h"

// The one-shot and EVP calls of OpenSSL 3 allocate for every hash; a replay
// makes millions of them. These do not, and use the processor's SHA as well.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <bit>
#include <cstdlib>

#include "base/error.h"
#include "base/status.h"

namespace amparo {
namespace {

constexpr uint8_t kLeafPrefix = 0x00;
constexpr uint8_t kNodePrefix = 0x01;

absl::Status Refused() {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "the merkle proof does not fit",
                   {.code = "verification_failed"});
}

// Walks from a node up to the root of the tree whose last leaf is `last`, one
// call of Up for each step of a proof.
class Climb {
 public:
  Climb(uint64_t node, uint64_t last) : node_(node), last_(last) {}

  bool AtRoot() const { return last_ == 0; }
  // Is the node's sibling on its left?
  bool SiblingIsLeft() const { return (node_ & 1) == 1 || node_ == last_; }
  void Up() {
    // A node at the right edge has no sibling until it is a right child:
    // incomplete subtrees rise unchanged.
    if (SiblingIsLeft())
      while ((node_ & 1) == 0 && node_ != 0) Shift();
    Shift();
  }
  void SkipRightChildren() {
    while ((node_ & 1) == 1) Shift();
  }

 private:
  void Shift() {
    node_ >>= 1;
    last_ >>= 1;
  }
  uint64_t node_;
  uint64_t last_;
};

// What a consistency proof leads to from the subtree `start` at the old tree's
// right edge. Precondition: 0 < old_size < new_size.
struct Roots {
  Digest of_old;
  Digest of_new;
};
absl::StatusOr<Roots> RootsFrom(TreeSize old_size, TreeSize new_size,
                                const Digest& start,
                                std::span<const Digest> proof) {
  Climb climb(old_size.value() - 1, new_size.value() - 1);
  climb.SkipRightChildren();
  Roots roots{start, start};
  for (const Digest& sibling : proof) {
    if (climb.AtRoot()) return Refused();
    if (climb.SiblingIsLeft()) {
      roots.of_old = NodeHash(sibling, roots.of_old);
      roots.of_new = NodeHash(sibling, roots.of_new);
    } else {
      roots.of_new = NodeHash(roots.of_new, sibling);
    }
    climb.Up();
  }
  if (!climb.AtRoot()) return Refused();
  return roots;
}

}  // namespace

Digest LeafHash(ByteView entry) {
  std::array<uint8_t, Digest::kSize> out;
  SHA256_CTX context;
  if (SHA256_Init(&context) != 1 ||
      SHA256_Update(&context, &kLeafPrefix, 1) != 1 ||
      SHA256_Update(&context, entry.data(), entry.size()) != 1 ||
      SHA256_Final(out.data(), &context) != 1)
    std::abort();
  return Digest(out);
}

Digest NodeHash(const Digest& left, const Digest& right) {
  std::array<uint8_t, Digest::kSize> out;
  SHA256_CTX context;
  if (SHA256_Init(&context) != 1 ||
      SHA256_Update(&context, &kNodePrefix, 1) != 1 ||
      SHA256_Update(&context, left.bytes().data(), Digest::kSize) != 1 ||
      SHA256_Update(&context, right.bytes().data(), Digest::kSize) != 1 ||
      SHA256_Final(out.data(), &context) != 1)
    std::abort();
  return Digest(out);
}

Digest EmptyRoot() { return Sha256(ByteView()); }

absl::Status VerifyInclusion(const Digest& leaf, LeafIndex index, TreeSize size,
                             std::span<const Digest> proof,
                             const Digest& root) {
  if (index.value() >= size.value()) return Refused();
  Climb climb(index.value(), size.value() - 1);
  Digest hash = leaf;
  for (const Digest& sibling : proof) {
    if (climb.AtRoot()) return Refused();
    hash = climb.SiblingIsLeft() ? NodeHash(sibling, hash)
                                 : NodeHash(hash, sibling);
    climb.Up();
  }
  if (!climb.AtRoot() || hash != root) return Refused();
  return absl::OkStatus();
}

absl::Status VerifyConsistency(TreeSize old_size, const Digest& old_root,
                               TreeSize new_size, const Digest& new_root,
                               std::span<const Digest> proof) {
  if (old_size.value() == 0 || old_size > new_size) return Refused();
  if (old_size == new_size) {
    if (!proof.empty() || old_root != new_root) return Refused();
    return absl::OkStatus();
  }
  // The proof begins with the largest perfect subtree at the old tree's right
  // edge; where that is the whole old tree, it is left out.
  Digest start = old_root;
  if (!std::has_single_bit(old_size.value())) {
    if (proof.empty()) return Refused();
    start = proof.front();
    proof = proof.subspan(1);
  }
  ASSIGN_OR_RETURN(const Roots roots,
                   RootsFrom(old_size, new_size, start, proof));
  if (roots.of_old != old_root || roots.of_new != new_root) return Refused();
  return absl::OkStatus();
}

absl::StatusOr<Digest> PrefixRoot(TreeSize old_size, TreeSize new_size,
                                  const Digest& new_root,
                                  std::span<const Digest> proof) {
  if (old_size.value() == 0 || old_size >= new_size ||
      std::has_single_bit(old_size.value()) || proof.empty())
    return Refused();
  ASSIGN_OR_RETURN(
      const Roots roots,
      RootsFrom(old_size, new_size, proof.front(), proof.subspan(1)));
  if (roots.of_new != new_root) return Refused();
  return roots.of_old;
}

}  // namespace amparo

#include "crypto/merkle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "tests/support/naive_merkle.h"
#include "tests/support/status_matchers.h"
#include "tests/support/vectors.h"

namespace amparo {
namespace {

constexpr auto kRefused = absl::StatusCode::kPermissionDenied;

// The Certificate Transparency reference tree: eight entries, and the root
// after each.
constexpr std::array<absl::string_view, 8> kEntries = {
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f"};
constexpr std::array<absl::string_view, 8> kRoots = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

Digest HexDigest(absl::string_view hex) {
  return VALUE_OF(Digest::FromBytes(VALUE_OF(FromHex(hex))));
}

Digest Flipped(const Digest& digest, size_t bit) {
  auto bytes = digest.array();
  bytes[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
  return Digest(bytes);
}

TEST(Merkle, HashesTheReferenceTree) {
  naive::Leaves leaves;
  EXPECT_EQ(EmptyRoot(),
            HexDigest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b"
                      "934ca495991b7852b855"));
  for (size_t i = 0; i < kEntries.size(); ++i) {
    leaves.push_back(LeafHash(VALUE_OF(FromHex(kEntries[i]))));
    EXPECT_EQ(naive::Root(leaves), HexDigest(kRoots[i])) << i;
  }
}

TEST(Merkle, LeavesAndNodesNeverShareAHash) {
  const Digest left = Sha256("left");
  const Digest right = Sha256("right");
  Bytes both = ToBytes(left.bytes());
  Append(both, right.bytes());
  EXPECT_NE(LeafHash(both), NodeHash(left, right));
  EXPECT_NE(NodeHash(left, right), NodeHash(right, left));
}

TEST(Merkle, ARefusalBearsTheCodeOfAFailedVerification) {
  const Digest leaf = Sha256("leaf");
  EXPECT_EQ(
      ErrorCodeOf(VerifyInclusion(leaf, LeafIndex(1), TreeSize(1), {}, leaf)),
      "verification_failed");
}

TEST(Merkle, NothingIsIncludedInTheEmptyTree) {
  EXPECT_THAT(
      VerifyInclusion(EmptyRoot(), LeafIndex(0), TreeSize(0), {}, EmptyRoot()),
      StatusIs(kRefused));
}

TEST(Merkle, AcceptsAProofAtTheLargestSizes) {
  // The last leaf of a tree of 2^64 - 1 entries stands under 63 complete
  // subtrees: one for each set bit but the last.
  const std::vector<Digest> proof(63, Sha256("sibling"));
  Digest root = Sha256("leaf");
  for (const Digest& sibling : proof) root = NodeHash(sibling, root);
  EXPECT_OK(VerifyInclusion(Sha256("leaf"), LeafIndex(~uint64_t{0} - 1),
                            TreeSize(~uint64_t{0}), proof, root));
  EXPECT_THAT(VerifyInclusion(Sha256("leaf"), LeafIndex(~uint64_t{0}),
                              TreeSize(~uint64_t{0}), proof, root),
              StatusIs(kRefused));
}

// Every tree of up to 64 leaves, with every root and honest proof.
class MerkleWorld : public testing::Test {
 protected:
  static constexpr uint64_t kSizeMax = 64;

  MerkleWorld() : leaves_(naive::MakeLeaves(kSizeMax)) {
    for (uint64_t size = 0; size <= kSizeMax; ++size)
      roots_.push_back(naive::Root(naive::Slice(leaves_, 0, size)));
  }

  std::vector<Digest> Path(uint64_t index, uint64_t size) const {
    return naive::Path(index, naive::Slice(leaves_, 0, size));
  }
  std::vector<Digest> Growth(uint64_t old_size, uint64_t new_size) const {
    return naive::SubProof(old_size, naive::Slice(leaves_, 0, new_size), true);
  }
  bool Includes(uint64_t index, uint64_t size, const std::vector<Digest>& proof,
                const Digest& leaf, const Digest& root) const {
    const absl::Status status =
        VerifyInclusion(leaf, LeafIndex(index), TreeSize(size), proof, root);
    EXPECT_TRUE(status.ok() || status.code() == kRefused);
    return status.ok();
  }
  bool Grew(uint64_t old_size, uint64_t new_size,
            const std::vector<Digest>& proof, const Digest& old_root,
            const Digest& new_root) const {
    const absl::Status status = VerifyConsistency(
        TreeSize(old_size), old_root, TreeSize(new_size), new_root, proof);
    EXPECT_TRUE(status.ok() || status.code() == kRefused);
    return status.ok();
  }

  naive::Leaves leaves_;
  std::vector<Digest> roots_;  // by size
};

// The attacker's variants of an honest proof: each hash changed, left out or
// doubled; a hash added before and after.
std::vector<std::vector<Digest>> Mutations(const std::vector<Digest>& proof) {
  std::vector<std::vector<Digest>> all;
  for (size_t i = 0; i < proof.size(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    all.push_back(proof);
    all.back()[i] = Flipped(proof[i], (i * 37) % 256);
    all.push_back(proof);
    all.back().erase(all.back().begin() + at);
    all.push_back(proof);
    all.back().insert(all.back().begin() + at, proof[i]);
    if (i > 0) {
      all.push_back(proof);
      std::swap(all.back()[i - 1], all.back()[i]);
    }
  }
  all.push_back(proof);
  all.back().insert(all.back().begin(), Digest());
  all.push_back(proof);
  all.back().push_back(Digest());
  return all;
}

TEST_F(MerkleWorld, EveryLeafOfEveryTreeIsProvenAndNothingElse) {
  for (uint64_t size = 1; size <= kSizeMax; ++size) {
    for (uint64_t index = 0; index < size; ++index) {
      const std::vector<Digest> proof = Path(index, size);
      const Digest& leaf = leaves_[index];
      const Digest& root = roots_[size];
      ASSERT_TRUE(Includes(index, size, proof, leaf, root));
      EXPECT_FALSE(Includes(index, size, proof, Flipped(leaf, 0), root));
      EXPECT_FALSE(Includes(index, size, proof, leaf, Flipped(root, 255)));
      for (const auto& mutated : Mutations(proof))
        EXPECT_FALSE(Includes(index, size, mutated, leaf, root))
            << index << " of " << size;
      for (uint64_t other = 0; other <= size; ++other)
        EXPECT_EQ(Includes(other, size, proof, leaf, root), other == index);
    }
  }
}

// The root that a proof shows is the prefix's, whatever anybody claims it was.
TEST_F(MerkleWorld, AConsistencyProofShowsTheRootOfThePrefix) {
  for (uint64_t size = 1; size <= kSizeMax; ++size) {
    for (uint64_t old_size = 0; old_size <= size; ++old_size) {
      const bool inside = old_size > 0 && old_size < size;
      const std::vector<Digest> proof =
          inside ? Growth(old_size, size) : std::vector<Digest>();
      const auto shown = PrefixRoot(TreeSize(old_size), TreeSize(size),
                                    roots_[size], proof);
      if (!inside || std::has_single_bit(old_size)) {
        EXPECT_EQ(shown.status().code(), kRefused);
        continue;
      }
      EXPECT_EQ(VALUE_OF(shown), roots_[old_size]);
      for (const auto& mutated : Mutations(proof))
        EXPECT_EQ(PrefixRoot(TreeSize(old_size), TreeSize(size), roots_[size],
                             mutated)
                      .status()
                      .code(),
                  kRefused)
            << old_size << " of " << size;
    }
  }
}

// A proof does not say in which size it holds where the leaf's path is the
// same in both: it is the signed root that belongs to one size only.
TEST_F(MerkleWorld, AProofOfOneSizeIsRefusedForEveryOther) {
  for (uint64_t size = 1; size <= kSizeMax; ++size) {
    for (uint64_t index = 0; index < size; ++index) {
      const std::vector<Digest> proof = Path(index, size);
      for (uint64_t other = 0; other <= kSizeMax; ++other) {
        if (other == size) continue;
        EXPECT_FALSE(
            Includes(index, other, proof, leaves_[index], roots_[other]));
        const bool same_path = other > index && naive::Turns(index, size) ==
                                                    naive::Turns(index, other);
        EXPECT_EQ(Includes(index, other, proof, leaves_[index], roots_[size]),
                  same_path);
      }
    }
  }
}

TEST_F(MerkleWorld, EveryGrowthIsProvenAndNothingElse) {
  for (uint64_t new_size = 1; new_size <= kSizeMax; ++new_size) {
    for (uint64_t old_size = 1; old_size <= new_size; ++old_size) {
      const std::vector<Digest> proof = Growth(old_size, new_size);
      const Digest& old_root = roots_[old_size];
      const Digest& new_root = roots_[new_size];
      ASSERT_TRUE(Grew(old_size, new_size, proof, old_root, new_root));
      EXPECT_FALSE(
          Grew(old_size, new_size, proof, Flipped(old_root, 7), new_root));
      EXPECT_FALSE(
          Grew(old_size, new_size, proof, old_root, Flipped(new_root, 8)));
      for (const auto& mutated : Mutations(proof))
        EXPECT_FALSE(Grew(old_size, new_size, mutated, old_root, new_root))
            << old_size << " to " << new_size;
      if (old_size == new_size) continue;
      EXPECT_FALSE(Grew(old_size, new_size, proof, new_root, old_root));
      EXPECT_FALSE(Grew(new_size, old_size, proof, new_root, old_root));
      EXPECT_FALSE(Grew(old_size, new_size, {}, old_root, new_root));
    }
  }
}

TEST_F(MerkleWorld, AGrowthProofIsRefusedForOtherSizes) {
  for (uint64_t new_size = 1; new_size <= kSizeMax; ++new_size) {
    for (uint64_t old_size = 1; old_size < new_size; ++old_size) {
      const std::vector<Digest> proof = Growth(old_size, new_size);
      for (uint64_t other = 0; other <= kSizeMax; ++other) {
        if (other != new_size) {
          EXPECT_FALSE(
              Grew(old_size, other, proof, roots_[old_size], roots_[other]));
        }
        if (other != old_size) {
          EXPECT_FALSE(
              Grew(other, new_size, proof, roots_[other], roots_[new_size]));
          EXPECT_FALSE(
              Grew(other, new_size, proof, roots_[old_size], roots_[new_size]));
        }
      }
    }
  }
}

TEST_F(MerkleWorld, ALogThatRewroteALeafCannotProveItsGrowth) {
  constexpr uint64_t kSize = 21;
  for (uint64_t old_size = 1; old_size < kSize; ++old_size) {
    for (uint64_t rewritten = 0; rewritten < old_size; ++rewritten) {
      naive::Leaves fork = naive::Slice(leaves_, 0, kSize);
      fork[rewritten] = Flipped(fork[rewritten], 100);
      const Digest fork_root = naive::Root(fork);
      EXPECT_FALSE(Grew(old_size, kSize, naive::SubProof(old_size, fork, true),
                        roots_[old_size], fork_root));
      EXPECT_FALSE(Grew(old_size, kSize, Growth(old_size, kSize),
                        roots_[old_size], fork_root));
    }
  }
}

TEST_F(MerkleWorld, GrowthFromNothingIsRefused) {
  for (uint64_t size = 0; size <= kSizeMax; ++size)
    EXPECT_FALSE(Grew(0, size, {}, roots_[0], roots_[size]));
}

// A field that may be missing or no digest at all.
std::optional<Digest> VectorDigest(const Json& value) {
  const auto bytes = FromBase64(value.get<std::string>());
  if (!bytes.ok()) return std::nullopt;
  const auto digest = Digest::FromBytes(*bytes);
  if (!digest.ok()) return std::nullopt;
  return *digest;
}

std::optional<std::vector<Digest>> VectorProof(const Json& value) {
  std::vector<Digest> proof;
  if (value.is_null()) return proof;
  for (const Json& item : value) {
    const auto digest = VectorDigest(item);
    if (!digest) return std::nullopt;
    proof.push_back(*digest);
  }
  return proof;
}

TEST(MerkleVectors, Inclusion) {
  NEEDS_VECTORS();
  // Not ReadVectors: an index of 2^64 - 1 is beyond our own JSON's numbers.
  const Json file = Json::parse(ReadVectorFile("merkle/inclusion.json"));
  for (const Json& c : file["cases"]) {
    const auto leaf = VectorDigest(c["leafHash"]);
    const auto root = VectorDigest(c["root"]);
    const auto proof = VectorProof(c["proof"]);
    // What is no digest does not get as far as the verifier.
    const bool accepted =
        leaf && root && proof &&
        VerifyInclusion(*leaf, LeafIndex(c["leafIdx"].get<uint64_t>()),
                        TreeSize(c["treeSize"].get<uint64_t>()), *proof, *root)
            .ok();
    EXPECT_EQ(accepted, !c["wantErr"].get<bool>()) << c["name"];
  }
  EXPECT_EQ(file["cases"].size(), 57u);
}

TEST(MerkleVectors, Consistency) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("merkle/consistency.json");
  for (const Json& c : file["cases"]) {
    const auto old_root = VectorDigest(c["root1"]);
    const auto new_root = VectorDigest(c["root2"]);
    const auto proof = VectorProof(c["proof"]);
    const bool accepted =
        old_root && new_root && proof &&
        VerifyConsistency(TreeSize(c["size1"].get<uint64_t>()), *old_root,
                          TreeSize(c["size2"].get<uint64_t>()), *new_root,
                          *proof)
            .ok();
    EXPECT_EQ(accepted, !c["wantErr"].get<bool>()) << c["name"];
  }
  EXPECT_EQ(file["cases"].size(), 50u);
}

TEST(MerkleVectors, ReferenceTree) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("merkle/rfc6962-reference-tree.json");
  EXPECT_EQ(EmptyRoot(), HexDigest(file["empty_root_hex"].get<std::string>()));
  naive::Leaves leaves;
  for (size_t i = 0; i < file["leaf_inputs_hex"].size(); ++i) {
    leaves.push_back(LeafHash(
        VALUE_OF(FromHex(file["leaf_inputs_hex"][i].get<std::string>()))));
    EXPECT_EQ(leaves.back(),
              HexDigest(file["leaf_hashes_hex"][i].get<std::string>()));
    EXPECT_EQ(
        naive::Root(leaves),
        HexDigest(file["roots_hex_by_size_1_to_8"][i].get<std::string>()));
  }
  EXPECT_EQ(leaves.size(), 8u);
}

TEST(MerkleVectors, TesseraLogProofs) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("merkle/tessera-log-proofs.json");
  for (const Json& c : file["inclusion"])
    EXPECT_OK(VerifyInclusion(VectorDigest(c["leaf_hash_b64"]).value(),
                              LeafIndex(c["index"].get<uint64_t>()),
                              TreeSize(c["size"].get<uint64_t>()),
                              VectorProof(c["proof_b64"]).value(),
                              VectorDigest(c["root_b64"]).value()));
  for (const Json& c : file["consistency"])
    EXPECT_OK(VerifyConsistency(TreeSize(c["size1"].get<uint64_t>()),
                                VectorDigest(c["root1_b64"]).value(),
                                TreeSize(c["size2"].get<uint64_t>()),
                                VectorDigest(c["root2_b64"]).value(),
                                VectorProof(c["proof_b64"]).value()));
  EXPECT_EQ(file["inclusion"].size(), 40u);
  EXPECT_EQ(file["consistency"].size(), 64u);
}

}  // namespace
}  // namespace amparo

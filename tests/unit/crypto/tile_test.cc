#include "crypto/tile.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"
#include "gtest/gtest.h"
#include "tests/support/naive_merkle.h"
#include "tests/support/status_matchers.h"
#include "tests/support/vectors.h"

namespace amparo {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(Tile, PathsAreThoseOfTheSpecification) {
  EXPECT_EQ(TilePath({0, 0, 256}), "tile/0/000");
  EXPECT_EQ(TilePath({0, 999, 256}), "tile/0/999");
  EXPECT_EQ(TilePath({1, 1000, 256}), "tile/1/x001/000");
  EXPECT_EQ(TilePath({0, 1234067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(TilePath({0, 1234, 40}), "tile/0/x001/234.p/40");
  EXPECT_EQ(BundlePath(0, 256), "tile/entries/000");
  EXPECT_EQ(BundlePath(1234067, 1), "tile/entries/x001/x234/067.p/1");
  EXPECT_EQ(TilePath({0, ~uint64_t{0}, 256}),
            "tile/0/x018/x446/x744/x073/x709/x551/615");
}

// The specification's own example.
TEST(Tile, ATreeOf70000HasTheTilesOfTheSpecification) {
  const TreeSize size(70'000);
  EXPECT_EQ(TilesAt(size, 0).full, 273u);
  EXPECT_EQ(TilesAt(size, 0).partial, 112u);
  EXPECT_EQ(TilesAt(size, 1).full, 1u);
  EXPECT_EQ(TilesAt(size, 1).partial, 17u);
  EXPECT_EQ(TilesAt(size, 2).full, 0u);
  EXPECT_EQ(TilesAt(size, 2).partial, 1u);
  EXPECT_EQ(TilesAt(size, 3).full, 0u);
  EXPECT_EQ(TilesAt(size, 3).partial, 0u);
  const std::vector<TileId> tiles = AllTiles(size);
  EXPECT_EQ(tiles.size(), 274u + 2u + 1u);
  EXPECT_EQ(tiles.back(), (TileId{2, 0, 1}));
}

TEST(Tile, ATreeOf256HasAFullTileAndOneHashAboveIt) {
  EXPECT_EQ(AllTiles(TreeSize(256)),
            (std::vector<TileId>{{0, 0, 256}, {1, 0, 1}}));
  EXPECT_EQ(AllTiles(TreeSize(255)), (std::vector<TileId>{{0, 0, 255}}));
  EXPECT_TRUE(AllTiles(TreeSize(0)).empty());
}

TEST(Tile, CountsFitTheLargestTree) {
  const TreeSize size(~uint64_t{0});
  EXPECT_EQ(TilesAt(size, 7).full, 0u);
  EXPECT_EQ(TilesAt(size, 7).partial, 255u);
  EXPECT_EQ(TilesAt(size, 8).partial, 0u);
  EXPECT_EQ(TilesAt(size, 4'000'000'000).full, 0u);
}

TEST(Tile, RefusesNodesThatAreNotComplete) {
  EXPECT_THAT(FindNode({0, 5}, TreeSize(5)), StatusIs(kInvalid));
  EXPECT_THAT(FindNode({3, 0}, TreeSize(7)), StatusIs(kInvalid));
  EXPECT_THAT(FindNode({64, 0}, TreeSize(~uint64_t{0})), StatusIs(kInvalid));
  EXPECT_THAT(FindNode({1, ~uint64_t{0}}, TreeSize(~uint64_t{0})),
              StatusIs(kInvalid));
  EXPECT_OK(FindNode({3, 0}, TreeSize(8)));
  EXPECT_OK(FindNode({63, 0}, TreeSize(~uint64_t{0})));
}

// A log's tiles, as a store would hold them: filled from the nodes that
// CompactRange reports, read through FindNode.
class TiledLog {
 public:
  void Append(const Digest& leaf) {
    range_.Append(leaf, [this](NodeId id, const Digest& hash) {
      if (id.level % 8 == 0)
        tiles_[{id.level / 8, id.index / kTileWidth}].push_back(hash);
    });
  }
  const CompactRange& range() const { return range_; }
  NodeSource Source() const {
    return [this](NodeId id) -> absl::StatusOr<Digest> {
      ASSIGN_OR_RETURN(const NodeInTile place, FindNode(id, range_.size()));
      const auto found = tiles_.find({place.tile.level, place.tile.index});
      if (found == tiles_.end() || found->second.size() != place.tile.width)
        return absl::NotFoundError("no such tile");
      return PerfectRoot(std::span(found->second)
                             .subspan(place.begin, place.end - place.begin));
    };
  }
  std::set<TileId> Tiles() const {
    std::set<TileId> ids;
    for (const auto& [at, hashes] : tiles_)
      ids.insert({at.first, at.second, static_cast<uint32_t>(hashes.size())});
    return ids;
  }

 private:
  CompactRange range_;
  std::map<std::pair<uint32_t, uint64_t>, std::vector<Digest>> tiles_;
};

TEST(Tile, TilesGiveTheRootAndProofsOfTreesOfSeveralLevels) {
  TiledLog log;
  naive::Leaves leaves;
  for (uint64_t i = 0; i < 66'000; ++i) {
    leaves.push_back(LeafHash(AsBytes(absl::StrCat(i))));
    log.Append(leaves.back());
    const TreeSize size(i + 1);
    const bool edge = i < 3 || (i > 253 && i < 259) || i == 65'534 ||
                      i == 65'535 || i == 65'999;
    if (!edge) continue;
    const std::vector<TileId> tiles = AllTiles(size);
    EXPECT_EQ(std::set<TileId>(tiles.begin(), tiles.end()), log.Tiles());
    const Digest root = VALUE_OF(RootFrom(size, log.Source()));
    EXPECT_EQ(root, log.range().Root());
    for (const uint64_t index : {uint64_t{0}, i / 2, i})
      EXPECT_OK(VerifyInclusion(
          leaves[index], LeafIndex(index), size,
          VALUE_OF(InclusionProof(LeafIndex(index), size, log.Source())),
          root));
  }
}

TEST(Tile, DecodesExactlyItsWidthOfHashes) {
  const Digest hash = Sha256("hash");
  Bytes bytes = ToBytes(hash.bytes());
  Append(bytes, hash.bytes());
  EXPECT_EQ(VALUE_OF(DecodeTile(bytes, 2)), (std::vector<Digest>{hash, hash}));
  EXPECT_THAT(DecodeTile(bytes, 1), StatusIs(kInvalid));
  EXPECT_THAT(DecodeTile(bytes, 3), StatusIs(kInvalid));
  EXPECT_THAT(DecodeTile(ByteView(bytes).first(63), 2), StatusIs(kInvalid));
  EXPECT_THAT(DecodeTile({}, 0), StatusIs(kInvalid));
  EXPECT_THAT(DecodeTile(Bytes(257 * 32), 257), StatusIs(kInvalid));
  EXPECT_OK(DecodeTile(Bytes(256 * 32), 256));
}

TEST(Bundle, GivesBackItsEntries) {
  const std::vector<Bytes> entries = {
      ToBytes("one"), {}, Bytes(kEntryBytesMax, 0x5a)};
  const Bytes bundle = EncodeBundle(entries);
  EXPECT_EQ(bundle.size(), 3 * 2 + 3 + kEntryBytesMax);
  EXPECT_EQ(VALUE_OF(DecodeBundle(bundle, 3)), entries);
}

TEST(Bundle, HasTheBytesOfTheSpecification) {
  EXPECT_EQ(ToHex(EncodeBundle({ToBytes("one"), ToBytes("three")})),
            "00036f6e6500057468726565");
}

TEST(Bundle, RefusesWhatIsNotExactlyItsWidth) {
  const Bytes bundle = EncodeBundle({ToBytes("one"), ToBytes("two")});
  EXPECT_THAT(DecodeBundle(bundle, 1), StatusIs(kInvalid));
  EXPECT_THAT(DecodeBundle(bundle, 3), StatusIs(kInvalid));
  for (size_t size = 0; size < bundle.size(); ++size)
    EXPECT_THAT(DecodeBundle(ByteView(bundle).first(size), 2),
                StatusIs(kInvalid));
  EXPECT_THAT(DecodeBundle({}, 0), StatusIs(kInvalid));
  EXPECT_THAT(DecodeBundle(Bytes(2 * 257), 257), StatusIs(kInvalid));
  EXPECT_OK(DecodeBundle(Bytes(2 * 256), 256));
}

TEST(TileVectors, EverySizeOfTheTesseraLogHasItsSignedRoot) {
  NEEDS_VECTORS();
  const std::string folder = "tiles/tessera-log/";
  const std::string vkey = ReadVectorFile(folder + "vkey.txt");
  const NoteVerifier log = VALUE_OF(
      NoteVerifier::Parse(absl::StripAsciiWhitespace(absl::string_view(vkey))));
  std::vector<Digest> roots;
  for (uint64_t n = 0; n <= 15; ++n) {
    SCOPED_TRACE(n);
    const Checkpoint head = VALUE_OF(VerifyCheckpoint(
        ReadVectorFile(absl::StrCat(folder, "checkpoint.", n)), log));
    ASSERT_EQ(head.size, TreeSize(n));
    roots.push_back(head.root);
    if (n == 0) {
      EXPECT_EQ(head.root, EmptyRoot());
      continue;
    }
    const uint32_t width = static_cast<uint32_t>(n);
    const std::vector<Digest> hashes = VALUE_OF(DecodeTile(
        AsBytes(ReadVectorFile(folder + TilePath({0, 0, width}))), width));
    const NodeSource nodes = [&](NodeId id) -> absl::StatusOr<Digest> {
      ASSIGN_OR_RETURN(const NodeInTile place, FindNode(id, head.size));
      EXPECT_EQ(place.tile, (TileId{0, 0, width}));
      return PerfectRoot(
          std::span(hashes).subspan(place.begin, place.end - place.begin));
    };
    EXPECT_EQ(VALUE_OF(RootFrom(head.size, nodes)), head.root);
    CompactRange replay;
    for (const Bytes& entry : VALUE_OF(DecodeBundle(
             AsBytes(ReadVectorFile(folder + BundlePath(0, width))), width)))
      replay.Append(LeafHash(entry));
    EXPECT_EQ(replay.Root(), head.root);
    for (uint64_t old = 1; old <= n; ++old)
      EXPECT_OK(VerifyConsistency(
          TreeSize(old), roots[old], head.size, head.root,
          VALUE_OF(ConsistencyProof(TreeSize(old), head.size, nodes))));
  }
}

TEST(TileVectors, FullTilesOfACertificateLogHaveTheirRoots) {
  NEEDS_VECTORS();
  const Json roots = ReadVectors("tiles/navigli2025h2-ct/roots.json");
  const auto expected = [&](const char* key) {
    return roots[key].get<std::string>();
  };
  std::vector<Digest> hashes;
  for (const uint64_t index : {0, 1}) {
    const std::vector<Digest> tile = VALUE_OF(
        DecodeTile(AsBytes(ReadVectorFile("tiles/navigli2025h2-ct/" +
                                          TilePath({0, index, kTileWidth}))),
                   kTileWidth));
    hashes.insert(hashes.end(), tile.begin(), tile.end());
  }
  const std::span<const Digest> all(hashes);
  EXPECT_EQ(ToHex(PerfectRoot(all.first(256)).bytes()),
            expected("root_of_tile_000_hex"));
  EXPECT_EQ(ToHex(PerfectRoot(all.subspan(256)).bytes()),
            expected("root_of_tile_001_hex"));
  CompactRange range;
  for (const Digest& hash : hashes) {
    range.Append(hash);
    if (range.size() != TreeSize(300)) continue;
    EXPECT_EQ(ToHex(range.Root().bytes()),
              expected("root_of_first_300_leaves_hex"));
  }
  EXPECT_EQ(ToHex(range.Root().bytes()),
            expected("root_of_first_512_leaves_hex"));
}

TEST(TilePath, IsReadBackInOneSpelling) {
  for (const uint64_t index : {uint64_t{0}, uint64_t{999}, uint64_t{1000},
                               uint64_t{1234067}, uint64_t{1} << 47})
    for (const uint32_t width : {1u, 255u, 256u}) {
      const TilePathParts hashes =
          VALUE_OF(ParseTilePath(TilePath({2, index, width})));
      EXPECT_EQ(hashes.tile, (TileId{2, index, width}));
      EXPECT_FALSE(hashes.is_bundle);
      const TilePathParts bundle =
          VALUE_OF(ParseTilePath(BundlePath(index, width)));
      EXPECT_EQ(bundle.tile, (TileId{0, index, width}));
      EXPECT_TRUE(bundle.is_bundle);
    }
}

TEST(TilePath, RefusesEveryOtherSpelling) {
  for (const char* path : {"",
                           "tile",
                           "tile/",
                           "tile/0",
                           "tile/0/",
                           "tile/0/0",
                           "tile/0/00",
                           "tile/0/0000",
                           "tile/0/x000",
                           "tile/0/x000/000",
                           "tile/0/x001",
                           "tile/0/001/000",
                           "tile/0/x999/x999",
                           "tile/0/x1/000",
                           "tile/0/X001/000",
                           "tile/0/-01",
                           "tile/0/+01",
                           "tile/0/ 01",
                           "tile/0/000/",
                           "tile/0//000",
                           "tile/0/000.p",
                           "tile/0/000.p/",
                           "tile/0/000.p/0",
                           "tile/0/000.p/256",
                           "tile/0/000.p/257",
                           "tile/0/000.p/01",
                           "tile/0/000.p/-1",
                           "tile/0/000.p/4294967297",
                           "tile/0/000.p/1/",
                           "tile/0/000.p/1.p/1",
                           "tile/00/000",
                           "tile/8/000",
                           "tile/63/000",
                           "tile/-1/000",
                           "tile/x/000",
                           "tile/4294967296/000",
                           "tile/entries",
                           "tile/entries/",
                           "tile/entries/../0/000",
                           "tile/0/../../checkpoint",
                           "tile/0/%30%30%30",
                           "/tile/0/000",
                           "Tile/0/000",
                           "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                           "tile/0/x018/x446/x744/x073/x709/x551/616"})
    EXPECT_THAT(ParseTilePath(path), StatusIs(kInvalid)) << path;
}

TEST(Tiles, AreThoseThatATreeOfTheSizeHas) {
  EXPECT_TRUE(HasTile(TreeSize(300), {0, 0, 256}));
  EXPECT_TRUE(HasTile(TreeSize(300), {0, 0, 7}));
  EXPECT_TRUE(HasTile(TreeSize(300), {0, 1, 44}));
  EXPECT_FALSE(HasTile(TreeSize(300), {0, 1, 45}));
  EXPECT_FALSE(HasTile(TreeSize(300), {0, 1, 256}));
  EXPECT_FALSE(HasTile(TreeSize(300), {0, 2, 1}));
  EXPECT_TRUE(HasTile(TreeSize(300), {1, 0, 1}));
  EXPECT_FALSE(HasTile(TreeSize(255), {1, 0, 1}));
  EXPECT_FALSE(HasTile(TreeSize(0), {0, 0, 1}));
}

TEST(TileVectors, TheArmoryDriveLogHasItsSignedRoot) {
  NEEDS_VECTORS();
  const std::string folder = "tiles/armory-drive-log/";
  const std::string vkey = ReadVectorFile(folder + "keys/armory-drive-log.pub");
  const Note note = VALUE_OF(ParseNote(ReadVectorFile(folder + "checkpoint")));
  EXPECT_OK(VerifyNote(
      note, VALUE_OF(NoteVerifier::Parse(
                absl::StripAsciiWhitespace(absl::string_view(vkey))))));
  const Checkpoint head = VALUE_OF(ParseCheckpoint(note.text));
  CompactRange replay;
  for (const char* name : {"00", "01"})
    replay.Append(LeafHash(AsBytes(
        ReadVectorFile(absl::StrCat(folder, "seq/00/00/00/00/", name)))));
  EXPECT_EQ(replay.size(), head.size);
  EXPECT_EQ(replay.Root(), head.root);
}

}  // namespace
}  // namespace amparo

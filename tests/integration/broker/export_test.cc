#include "broker/daemon/export.h"

#include <filesystem>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "broker/daemon/commands.h"
#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"
#include "crypto/tile.h"
#include "proto/envelope/log_entry.h"
#include "tests/support/broker_server.h"
#include "tests/support/relay_client.h"
#include "tests/support/status_matchers.h"

// An export proves itself: everything here is checked from its files alone.

namespace amparo::broker {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using Files = std::map<std::string, std::string>;

Files ReadAll(const std::string& folder) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[fs::relative(entry.path(), folder).generic_string()] =
          VALUE_OF(ReadFile(entry.path().string(), 64 << 20));
  return files;
}

class ExportTest : public testing::Test {
 protected:
  ExportTest() {
    broker.SetUp({"ong", "uls"});
    const AcceptedCharter charter = broker.charter();
    RelayClient ong(broker.ChannelOf("ong"));
    for (int i = 0; i < 300; ++i)
      VALUE_OF(ong.Submit(broker.member("ong").EnvelopeTo(
          broker.member("uls"), charter, absl::Now())));
    // Signs a checkpoint over all of it.
    broker.Stop();
    broker.Start();
  }
  Files ExportTo(const std::string& name) {
    EXPECT_OK(Export(broker.data(), folder / name));
    return ReadAll(folder / name);
  }

  BrokerServer broker;
  ScratchFolder folder;
};

TEST_F(ExportTest, IsTheSameBesideTheRunningBrokerAndWithoutIt) {
  const Files beside = ExportTo("beside");
  broker.Stop();
  const Files alone = ExportTo("alone");
  EXPECT_EQ(beside, alone);
}

TEST_F(ExportTest, HasTilesAndEntriesThatMakeTheSignedRoot) {
  const Files files = ExportTo("out");
  const NetworkFile network =
      VALUE_OF(ParseNetworkFile(files.at("network.json")));
  const Checkpoint checkpoint =
      VALUE_OF(VerifyCheckpoint(files.at("checkpoint"), network.log_key));
  ASSERT_GT(checkpoint.size.value(), 300u);

  CompactRange from_tiles, from_entries;
  std::set<std::string> named;
  for (const TileId& tile : AllTiles(checkpoint.size)) {
    named.insert(TilePath(tile));
    const auto hashes =
        VALUE_OF(DecodeTile(AsBytes(files.at(TilePath(tile))), tile.width));
    if (tile.level == 0)
      for (const Digest& hash : hashes) from_tiles.Append(hash);
  }
  const uint64_t size = checkpoint.size.value();
  for (uint64_t index = 0; index * kTileWidth < size; ++index) {
    const auto width = static_cast<uint32_t>(
        std::min<uint64_t>(kTileWidth, size - index * kTileWidth));
    named.insert(BundlePath(index, width));
    const auto entries = VALUE_OF(
        DecodeBundle(AsBytes(files.at(BundlePath(index, width))), width));
    for (const Bytes& entry : entries) from_entries.Append(LeafHash(entry));
  }
  EXPECT_EQ(from_tiles.Root(), checkpoint.root);
  EXPECT_EQ(from_entries.Root(), checkpoint.root);
  for (const auto& [name, content] : files) {
    EXPECT_TRUE(named.contains(name) || !absl::StartsWith(name, "tile/"))
        << name;
  }
}

TEST_F(ExportTest, HasOpeningsThatFitAndChartersUnderTheirHash) {
  const Files files = ExportTo("out");
  std::vector<Bytes> entries;
  const Checkpoint checkpoint = VALUE_OF(
      VerifyCheckpoint(files.at("checkpoint"), broker.network_file().log_key));
  for (uint64_t at = 0; at < checkpoint.size.value(); at += kTileWidth) {
    const auto width = static_cast<uint32_t>(
        std::min<uint64_t>(kTileWidth, checkpoint.size.value() - at));
    for (Bytes& entry : VALUE_OF(DecodeBundle(
             AsBytes(files.at(BundlePath(at / kTileWidth, width))), width)))
      entries.push_back(std::move(entry));
  }
  size_t openings = 0;
  for (const char* name : {"openings/000.jsonl", "openings/001.jsonl"})
    for (absl::string_view line :
         absl::StrSplit(files.at(name), '\n', absl::SkipEmpty())) {
      ++openings;
      const Json json = VALUE_OF(ParseJson(line));
      EXPECT_EQ(json["event_kind"], "envelope");
      const auto index = json["index"].get<size_t>();
      EXPECT_EQ(index / kTileWidth, absl::StrContains(name, "001") ? 1u : 0u);
      const Digest commitment = LeafCommitment(
          VALUE_OF(FromBase64Url(json["salt"].get<std::string>())),
          VALUE_OF(FromBase64Url(json["event"].get<std::string>())));
      EXPECT_EQ(std::get<CommitmentEntry>(
                    VALUE_OF(DecodeLogEntry(entries[index])).content)
                    .commitment,
                commitment);
    }
  EXPECT_EQ(openings, 300u);
  size_t charters = 0;
  for (const auto& [name, content] : files) {
    if (!absl::StartsWith(name, "documents/")) continue;
    ++charters;
    EXPECT_EQ(name, "documents/" + ToHex(Sha256(content).bytes()) + ".json");
  }
  EXPECT_EQ(charters, 2u);
}

TEST_F(ExportTest, NeverOverwrites) {
  fs::create_directory(folder / "there");
  const auto refused = Export(broker.data(), folder / "there");
  EXPECT_THAT(refused, StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(ErrorCodeOf(refused.status()), "conflict");
  broker.Stop();
  EXPECT_THAT(Export(broker.data(), folder / "there"),
              StatusIs(StatusCode::kAlreadyExists));
  EXPECT_TRUE(fs::is_empty(folder / "there"));
}

TEST_F(ExportTest, LeavesNothingBehindWhenItCannotFinish) {
  EXPECT_FALSE(Export(broker.data(), folder / "no/such/place").ok());
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST_F(ExportTest, HoldsNoSecret) {
  const std::string token = ToBase64Url(*broker.network_file().founding_token);
  for (const auto& [name, content] : ExportTo("out"))
    EXPECT_EQ(content.find(token), std::string::npos) << name;
}

}  // namespace
}  // namespace amparo::broker

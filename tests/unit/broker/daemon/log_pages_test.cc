#include "broker/daemon/log_pages.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

class LogPagesTest : public testing::Test {
 protected:
  LogPagesTest() { EXPECT_OK(checkpointer.PublishNext()); }

  HttpAnswer Get(absl::string_view path) const { return pages.Answer(path); }
  uint64_t size() { return broker.store().Head().range.size().value(); }

  BrokerFixture broker{
      {"clinic-a", "clinic-b"}, nullptr, {.member_rate_per_s = 100'000}};
  InboxFeed watchers{8};
  Checkpointer checkpointer{broker.store(), broker.network(), broker.log_key(),
                            broker.witnesses(), watchers, broker.clock()};
  LogPages pages{broker.audit_log(), checkpointer, broker.witnesses()};
};

TEST_F(LogPagesTest, ShowTheNewestCheckpointAndKeepItOutOfCaches) {
  const HttpAnswer page = Get("/checkpoint");
  EXPECT_EQ(page.status, 200u);
  EXPECT_EQ(page.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(page.cache_control, "no-cache");
  EXPECT_EQ(VALUE_OF(VerifyCheckpoint(page.body, broker.log())).size.value(),
            size());
}

TEST_F(LogPagesTest, ShowEntriesAndHashesThatMakeTheSignedRoot) {
  for (int i = 0; i < 270; ++i) broker.Send("clinic-a", "clinic-b");
  ASSERT_OK(checkpointer.PublishNext());
  const Checkpoint head =
      VALUE_OF(VerifyCheckpoint(Get("/checkpoint").body, broker.log()));
  CompactRange range;
  for (uint64_t start = 0; start < head.size.value(); start += kTileWidth) {
    const auto width = static_cast<uint32_t>(
        std::min<uint64_t>(kTileWidth, head.size.value() - start));
    const HttpAnswer page =
        Get(absl::StrCat("/", BundlePath(start / kTileWidth, width)));
    EXPECT_EQ(page.status, 200u);
    EXPECT_EQ(page.content_type, "application/octet-stream");
    EXPECT_TRUE(absl::StrContains(page.cache_control, "immutable"));
    for (const Bytes& entry : VALUE_OF(DecodeBundle(AsBytes(page.body), width)))
      range.Append(LeafHash(entry));
  }
  EXPECT_EQ(range.Root(), head.root);
  for (const TileId& tile : AllTiles(head.size)) {
    const HttpAnswer page = Get(absl::StrCat("/", TilePath(tile)));
    EXPECT_EQ(page.status, 200u);
    EXPECT_OK(DecodeTile(AsBytes(page.body), tile.width));
  }
}

TEST_F(LogPagesTest, ShowNothingThatNoCheckpointCovers) {
  const auto last = static_cast<uint32_t>(size());
  broker.Send("clinic-a", "clinic-b");
  const std::string next = TilePath({0, 0, last + 1});
  EXPECT_EQ(Get("/" + next).status, 404u);
  EXPECT_EQ(Get("/" + BundlePath(0, last + 1)).status, 404u);
  EXPECT_EQ(Get("/" + BundlePath(0, last)).status, 200u);
  ASSERT_OK(checkpointer.PublishNext());
  EXPECT_EQ(Get("/" + next).status, 200u);
}

TEST_F(LogPagesTest, ShowChartersByTheirHash) {
  const AcceptedCharter charter = broker.charter();
  const std::string name =
      absl::StrCat("/documents/", ToHex(charter.hash.bytes()), ".json");
  const HttpAnswer page = Get(name);
  EXPECT_EQ(page.status, 200u);
  EXPECT_EQ(page.content_type, "application/jose+json");
  EXPECT_EQ(Sha256(page.body), charter.hash);
}

// Who asks for what is not there, by whatever path, gets nothing: there is no
// file system behind the names.
TEST_F(LogPagesTest, AttackByPathsFindsNothing) {
  const std::string hash(64, '0');
  for (const std::string& path : std::vector<std::string>{
           "",
           "/",
           "//",
           "checkpoint",
           "/checkpoint/",
           "//checkpoint",
           "/checkpoint/..",
           "/Checkpoint",
           "/tile",
           "/tile/",
           "/tile/0/000",
           "/tile/0/x999/x999",
           "/tile/0/x999/x999/999",
           "/tile/0/x999/x999/x999/x999/x999/x999/x999/999",
           "/tile/7/x072/x057/x594/x037/935",
           "/tile/0/000.p/0",
           "/tile/0/000.p/256",
           "/tile/0/000.p/-1",
           "/tile/0/000.p/1e1",
           "/tile/entries/000",
           "/tile/entries/000.p/255",
           "/tile/entries/../0/000.p/1",
           "/tile/0/../../etc/passwd",
           "/../log.key",
           "/..%2flog.key",
           "/tile/..;/log.key",
           "/log.key",
           "/network.json",
           "/store",
           "/openings/000.jsonl",
           "/documents/",
           "/documents/.json",
           "/documents/../network.json",
           "/documents/" + hash + ".json",
           "/documents/" + hash,
           "/documents/" + std::string(63, '0') + ".json",
           "/documents/" + hash + ".json.json",
           std::string("/checkpoint\0x", 13),
           std::string(100'000, '/')}) {
    const HttpAnswer page = Get(path);
    EXPECT_EQ(page.status, 404u) << path;
    EXPECT_EQ(page.cache_control, "no-store") << path;
    EXPECT_EQ(page.body, "not found\n") << path;
  }
}

TEST_F(LogPagesTest, ShowUnderWhichCheckpointACharterCameIntoForce) {
  EXPECT_EQ(Get("/charter-checkpoints/3").status, 404u);
  const uint64_t third[] = {3};
  ASSERT_OK(broker.store().PutWitnessed(TreeSize(9), "a note", third));
  const HttpAnswer page = Get("/charter-checkpoints/3");
  EXPECT_EQ(page.status, 200u);
  EXPECT_EQ(page.body, "a note");
  EXPECT_TRUE(absl::StrContains(page.cache_control, "immutable"));
  for (const char* path :
       {"/charter-checkpoints/", "/charter-checkpoints/03",
        "/charter-checkpoints/+3", "/charter-checkpoints/3/",
        "/charter-checkpoints/ 3", "/charter-checkpoints/2",
        "/charter-checkpoints/18446744073709551616", "/charter-checkpoints"})
    EXPECT_EQ(Get(path).status, 404u) << path;
}

TEST_F(LogPagesTest, SpellAHashInOneWay) {
  std::string hex = ToHex(broker.charter().hash.bytes());
  for (char& c : hex) c = absl::ascii_toupper(static_cast<unsigned char>(c));
  EXPECT_EQ(Get("/documents/" + hex + ".json").status, 404u);
}

TEST(LogPages, SayNothingBeforeTheFirstCheckpoint) {
  BrokerFixture broker({"clinic-a"});
  InboxFeed watchers(8);
  const Checkpointer checkpointer(broker.store(), broker.network(),
                                  broker.log_key(), broker.witnesses(), watchers,
                                  broker.clock());
  const LogPages pages(broker.audit_log(), checkpointer, broker.witnesses());
  for (const char* path :
       {"/checkpoint", "/tile/0/000.p/1", "/tile/entries/000.p/1"})
    EXPECT_EQ(pages.Answer(path).status, 404u) << path;
}

}  // namespace
}  // namespace amparo::broker

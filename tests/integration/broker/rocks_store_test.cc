#include "broker/store/rocks_store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/error.h"
#include "broker/core/checkpointer.h"
#include "broker/core/start_guard.h"
#include "crypto/random.h"
#include "proto/envelope/limits.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/store_contract.h"

namespace amparo::broker {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;

// --- The contract, on a disk.

class RocksUnderTest final : public StoreUnderTest {
 public:
  RocksUnderTest() { Open(); }
  Store& store() override { return *store_; }
  void Reopen() override {
    store_.reset();
    Open();
  }

 private:
  void Open() { store_ = VALUE_OF(OpenRocksStore(folder_ / "store")); }

  const ScratchFolder folder_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Rocks, StoreContract,
                         testing::Values(StoreEngine{
                             "rocksdb", [] {
                               return std::make_unique<RocksUnderTest>();
                             }}));

// --- The disk itself.

TEST(RocksStore, BelongsToOneProcess) {
  const ScratchFolder folder;
  const auto store = VALUE_OF(OpenRocksStore(folder / "store"));
  EXPECT_THAT(OpenRocksStore(folder / "store"),
              StatusIs(StatusCode::kUnavailable));
}

TEST(RocksStore, WritesNothingWhileTheDiskIsAlmostFull) {
  const ScratchFolder folder;
  auto store = VALUE_OF(OpenRocksStore(folder / "store"));
  BrokerFixture broker({"clinic-a", "clinic-b"}, store.get());
  const auto sent = broker.Send("clinic-a", "clinic-b");
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");

  // A disk that has never enough.
  broker.Shutdown();
  store.reset();
  auto full = VALUE_OF(
      OpenRocksStore(folder / "store", {.disk_free_bytes_min = ~0ull >> 1}));
  broker.Restart(full.get());
  const absl::Status status = broker.Accept("clinic-a", envelope).status();
  EXPECT_THAT(status, StatusIs(StatusCode::kResourceExhausted));
  EXPECT_EQ(ErrorCodeOf(status), "storage");
  EXPECT_EQ(broker.leaf_count(), 1u);
  EXPECT_EQ(broker.Fetch("clinic-b").size(), 1u);
  EXPECT_EQ(VALUE_OF(broker.Accept("clinic-a", sent.envelope)).leaf,
            sent.receipt.leaf);
  broker.Shutdown();
  full.reset();

  store = VALUE_OF(OpenRocksStore(folder / "store"));
  broker.Restart(store.get());
  EXPECT_OK(broker.Accept("clinic-a", envelope));
  broker.Shutdown();
}

TEST(RocksStore, KeepsAMebibyteEnvelopeAndLetsItGoAtDelivery) {
  const ScratchFolder folder;
  auto store = VALUE_OF(OpenRocksStore(folder / "store"));
  BrokerFixture broker({"clinic-a", "clinic-b"}, store.get());
  Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  envelope.ciphertext = RandomBytes(CiphertextSize(kPayloadBytesMax));
  envelope.header.ciphertext_bytes = envelope.ciphertext.size();
  broker.member("clinic-a").SignAgain(envelope);
  const LeafReceipt receipt = VALUE_OF(broker.Accept("clinic-a", envelope));
  broker.Shutdown();
  store.reset();
  store = VALUE_OF(OpenRocksStore(folder / "store"));
  broker.Restart(store.get());
  EXPECT_EQ(broker.Fetch("clinic-b").at(0).item.ciphertext,
            AsText(envelope.ciphertext));
  EXPECT_OK(broker.Acknowledge(
      "clinic-b", broker.ReceiptFor("clinic-b", {envelope, receipt})));
  EXPECT_TRUE(broker.Fetch("clinic-b").empty());
  broker.Shutdown();
}

// --- Rollback and damage, against the guard.

// The newest checkpoint of the broker's log, signed and stored.
std::string PublishCheckpoint(BrokerFixture& broker) {
  InboxFeed watchers(1);
  Checkpointer checkpointer(broker.store(), broker.network(), broker.log_key(),
                            broker.witnesses(), watchers, broker.clock());
  EXPECT_OK(checkpointer.PublishNext());
  return VALUE_OF(checkpointer.Newest());
}

TEST(RocksStore, PassesTheGuardAfterARestart) {
  const ScratchFolder folder;
  auto store = VALUE_OF(OpenRocksStore(folder / "store"));
  BrokerFixture broker({"clinic-a", "clinic-b"}, store.get());
  for (int i = 0; i < 5; ++i) broker.Send("clinic-a", "clinic-b");
  const std::string note = PublishCheckpoint(broker);
  broker.Send("clinic-a", "clinic-b");
  broker.Shutdown();
  store.reset();
  store = VALUE_OF(OpenRocksStore(folder / "store"));
  EXPECT_EQ(VALUE_OF(store->NewestCheckpoint()), note);
  EXPECT_OK(CheckStart(*store, broker.log(), {{note}}));
  EXPECT_OK(CheckWholeLog(*store));
}

TEST(RocksStore, CopiesItselfWhileItIsInUse) {
  const ScratchFolder folder;
  auto store = VALUE_OF(OpenRocksStore(folder / "store"));
  BrokerFixture broker({"clinic-a", "clinic-b"}, store.get());
  const auto sent = broker.Send("clinic-a", "clinic-b");
  const std::string note = PublishCheckpoint(broker);
  EXPECT_OK(store->CopyTo(folder / "copy"));
  EXPECT_THAT(store->CopyTo(folder / "copy"),
              StatusIs(StatusCode::kAlreadyExists));
  broker.Send("clinic-a", "clinic-b");
  const auto copy = VALUE_OF(OpenRocksStore(folder / "copy"));
  EXPECT_OK(CheckStart(*copy, broker.log(), {{note}}));
  EXPECT_OK(CheckWholeLog(*copy));
  const auto items =
      VALUE_OF(copy->Mailbox(broker.Id("clinic-b"), {}, 10, 1 << 20));
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].leaf.index, sent.receipt.leaf);
  EXPECT_EQ(items[0].ciphertext, AsText(sent.envelope.ciphertext));
  broker.Shutdown();
}

TEST(RocksStore, DoesNotStartOnAnOlderCopyOfItself) {
  const ScratchFolder folder;
  auto store = VALUE_OF(OpenRocksStore(folder / "store"));
  BrokerFixture broker({"clinic-a", "clinic-b"}, store.get());
  broker.Send("clinic-a", "clinic-b");
  PublishCheckpoint(broker);
  broker.Shutdown();
  store.reset();
  fs::copy(folder / "store", folder / "copy", fs::copy_options::recursive);

  store = VALUE_OF(OpenRocksStore(folder / "store"));
  broker.Restart(store.get());
  broker.Send("clinic-a", "clinic-b");
  const std::string note = PublishCheckpoint(broker);
  broker.Shutdown();
  store.reset();

  const auto copy = VALUE_OF(OpenRocksStore(folder / "copy"));
  EXPECT_OK(CheckStart(*copy, broker.log()));  // whole in itself
  EXPECT_THAT(CheckStart(*copy, broker.log(), {{note}}),
              StatusIs(StatusCode::kDataLoss));
}

TEST(RocksStore, DoesNotStartOnALogThatLostItsEnd) {
  const ScratchFolder folder;
  auto store = VALUE_OF(OpenRocksStore(folder / "store"));
  BrokerFixture broker({"clinic-a", "clinic-b"}, store.get());
  for (int i = 0; i < 20; ++i) broker.Send("clinic-a", "clinic-b");
  const std::string note = PublishCheckpoint(broker);
  broker.Shutdown();
  store.reset();
  // What was synced last is cut off, as by a disk that lied.
  std::optional<fs::path> newest;
  for (const auto& entry : fs::directory_iterator(folder / "store"))
    if (entry.path().extension() == ".log" && entry.file_size() > 0)
      if (!newest || entry.path() > *newest) newest = entry.path();
  ASSERT_TRUE(newest.has_value());
  fs::resize_file(*newest, fs::file_size(*newest) / 2);
  const auto cut = OpenRocksStore(folder / "store");
  if (!cut.ok()) {
    EXPECT_THAT(cut, StatusIs(StatusCode::kDataLoss));
    return;
  }
  EXPECT_THAT(CheckStart(**cut, broker.log(), {{note}}),
              StatusIs(StatusCode::kDataLoss));
}

// --- kill -9.

// In a child: commits notes one by one, telling each acknowledged number.
[[noreturn]] void CommitUntilKilled(const std::string& path, int pipe_end) {
  auto store = OpenRocksStore(path);
  if (!store.ok()) _exit(1);
  for (uint64_t number = 0;; ++number) {
    Op op;
    op.action = Date{*MemberId::Parse("clinic-a")};
    op.event = EncodeAuditEvent(AccessLogEvent{std::to_string(number)});
    const auto results = (*store)->Commit({&op, 1}, TimeFromUnix(1795262400));
    if (!results.ok() || results->front().outcome != Outcome::kApplied)
      _exit(2);
    const uint64_t told[2] = {number, results->front().leaf->index.value()};
    if (write(pipe_end, told, sizeof told) != sizeof told) _exit(3);
  }
}

TEST(RocksStore, LosesNothingItAcknowledgedWhenKilled) {
  const ScratchFolder folder;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    close(ends[0]);
    CommitUntilKilled(folder / "store", ends[1]);
  }
  close(ends[1]);
  std::map<uint64_t, uint64_t> acknowledged;
  uint64_t told[2];
  while (read(ends[0], told, sizeof told) == sizeof told) {
    acknowledged[told[0]] = told[1];
    if (acknowledged.size() == 200) kill(child, SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));

  const auto store = VALUE_OF(OpenRocksStore(folder / "store"));
  EXPECT_OK(CheckWholeLog(*store));
  for (const auto& [number, leaf] : acknowledged) {
    Op op;
    op.action = Date{*MemberId::Parse("clinic-a")};
    op.event = EncodeAuditEvent(AccessLogEvent{std::to_string(number)});
    const OpResult again = VALUE_OF(store->FindEarlier(op));
    ASSERT_EQ(again.outcome, Outcome::kReplayed) << number;
    EXPECT_EQ(again.leaf->index.value(), leaf);
  }
}

}  // namespace
}  // namespace amparo::broker

#include "broker/core/start_guard.h"

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "broker/core/checkpointer.h"
#include "broker/store/memory_store.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

// A store in which somebody changed something.
class TamperedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  std::optional<LogHead> head;
  std::optional<uint64_t> bad_hash;
  std::optional<uint64_t> bad_entry;
  std::optional<uint64_t> entries_end;

  LogHead Head() const override {
    return head ? *head : ForwardingStore::Head();
  }
  absl::StatusOr<std::vector<Digest>> Hashes(uint32_t tile_level,
                                             uint64_t start,
                                             uint32_t count) const override {
    auto hashes = VALUE_OF(ForwardingStore::Hashes(tile_level, start, count));
    if (tile_level == 0 && bad_hash && *bad_hash >= start &&
        *bad_hash < start + hashes.size())
      hashes[*bad_hash - start] = Sha256("another");
    return hashes;
  }
  absl::StatusOr<std::vector<Bytes>> Entries(LeafIndex start,
                                             uint32_t count) const override {
    auto entries = VALUE_OF(ForwardingStore::Entries(start, count));
    if (entries_end && start.value() + entries.size() > *entries_end)
      entries.resize(*entries_end > start.value() ? *entries_end - start.value()
                                                  : 0);
    if (bad_entry && *bad_entry >= start.value() &&
        *bad_entry < start.value() + entries.size())
      entries[*bad_entry - start.value()].back() ^= 1;
    return entries;
  }
};

struct Guarded {
  explicit Guarded(int leaves) {
    InboxFeed watchers(1);
    Checkpointer checkpointer(broker.store(), broker.network(),
                              broker.log_key(), broker.witnesses(), watchers, broker.clock());
    for (int i = 0; i < leaves; ++i) broker.Send("clinic-a", "clinic-b");
    EXPECT_OK(checkpointer.PublishNext());
    shown = VALUE_OF(checkpointer.Newest());
    // The log grew after its last checkpoint, as it does.
    broker.Send("clinic-a", "clinic-b");
  }
  void ExpectDamage(absl::string_view code) {
    const absl::Status status = CheckStart(store, broker.log());
    EXPECT_THAT(status, StatusIs(StatusCode::kDataLoss));
    EXPECT_EQ(ErrorCodeOf(status), code);
  }

  AdmissionLimits limits{.member_rate_per_s = 1000000};
  BrokerFixture broker{{"clinic-a", "clinic-b"}, nullptr, limits};
  TamperedStore store{broker.store()};
  std::string shown;
};

TEST(StartGuard, PassesALogOfAnySize) {
  EXPECT_OK(CheckStart(*NewMemoryStore(), Guarded(0).broker.log()));
  for (const int leaves : {0, 1, 2, 3, 250, 251, 252, 300}) {
    Guarded of(leaves);
    EXPECT_OK(CheckStart(of.store, of.broker.log(), {{of.shown}}))
        << leaves << " leaves";
    EXPECT_OK(CheckWholeLog(of.store));
  }
}

TEST(StartGuard, CatchesAChangedNode) {
  Guarded of(10);
  of.store.bad_hash = 3;
  of.ExpectDamage("tampered");  // the edge is made of it too
  EXPECT_THAT(CheckWholeLog(of.store), StatusIs(StatusCode::kDataLoss));
}

TEST(StartGuard, CatchesALogThatIsNotTheOneThatWasSigned) {
  Guarded of(10);
  // Whole in itself: only the signature tells.
  Guarded other(10);
  EXPECT_OK(CheckStart(other.store, other.broker.log()));
  const Checkpoint signed_before =
      VALUE_OF(VerifyCheckpoint(of.shown, of.broker.log()));
  const std::string note = VALUE_OF(SignCheckpoint(
      {other.broker.network(), signed_before.size, signed_before.root, {}},
      other.broker.log_key()));
  const absl::Status status =
      CheckStart(other.store, other.broker.log(), {{note}});
  EXPECT_THAT(status, StatusIs(StatusCode::kDataLoss));
  EXPECT_EQ(ErrorCodeOf(status), "root_mismatch");
}

TEST(StartGuard, CatchesAStoreThatWasRolledBack) {
  Guarded of(10);
  // The whole store is from before, its own checkpoints too; a note that is
  // kept elsewhere tells.
  BrokerFixture older({"clinic-a", "clinic-b"});
  const std::string note =
      VALUE_OF(SignCheckpoint({older.network(),
                               TreeSize(of.broker.store().Head().range.size()),
                               of.broker.store().Head().range.Root(),
                               {}},
                              older.log_key()));
  EXPECT_OK(CheckStart(older.store(), older.log()));
  const absl::Status status = CheckStart(older.store(), older.log(), {{note}});
  EXPECT_THAT(status, StatusIs(StatusCode::kDataLoss));
  EXPECT_EQ(ErrorCodeOf(status), "tampered");
}

TEST(StartGuard, CatchesATruncatedLog) {
  Guarded of(10);
  const uint64_t size = of.broker.store().Head().range.size().value();
  // Entries are gone, the head still counts them.
  of.store.entries_end = size - 1;
  of.ExpectDamage("tampered");
  of.store.entries_end.reset();
  // The head was set back to before the checkpoint.
  CompactRange shorter;
  for (const Digest& leaf : VALUE_OF(of.broker.store().Hashes(0, 0, 5)))
    shorter.Append(leaf);
  of.store.head = LogHead{shorter, of.broker.clock().Now(), 1};
  of.ExpectDamage("tampered");
}

TEST(StartGuard, CatchesACheckpointByAnotherKey) {
  Guarded of(3);
  const NoteVerifier other =
      VALUE_OF(NoteVerifier::Create(of.broker.network(), NoteKeyType::kEd25519,
                                    SigningKey::Generate().verify_key()));
  EXPECT_THAT(CheckStart(of.store, other), StatusIs(StatusCode::kDataLoss));
}

TEST(StartGuard, CheckOfTheWholeLogCatchesAChangedEntry) {
  Guarded of(20);
  of.store.bad_entry = 7;
  // Start-up looks at the edge only.
  EXPECT_OK(CheckStart(of.store, of.broker.log()));
  EXPECT_THAT(CheckWholeLog(of.store), StatusIs(StatusCode::kDataLoss));
}

}  // namespace
}  // namespace amparo::broker

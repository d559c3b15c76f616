#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/core/directory.h"
#include "broker/core/start_guard.h"
#include "proto/envelope/limits.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/logged.h"
#include "tests/support/status_matchers.h"
#include "tests/support/store_contract.h"

// What every engine must do when a lost log is brought back into it.

namespace amparo::broker {
namespace {

using absl::StatusCode;

constexpr uint32_t kAll = 1 << 20;

// A broker on which everything happened that can be logged, and is lost then.
class Lost {
 public:
  BrokerFixture broker{{"clinic-a", "clinic-b", "clinic-c"}};

 private:
  BrokerFixture::Sent Ended(const char* from, const char* to, ReceiptKind as) {
    BrokerFixture::Sent sent = broker.Send(from, to);
    VALUE_OF(broker.Acknowledge(to, broker.ReceiptFor(to, sent, as)));
    return sent;
  }
  BrokerFixture::Sent Recalled() {
    BrokerFixture::Sent sent = broker.Send("clinic-a", "clinic-b");
    VALUE_OF(
        broker.Recall("clinic-a", broker.RecallOf("clinic-a", sent.envelope)));
    return sent;
  }
  BrokerFixture::Sent Pending() {
    const auto now = [this] { return broker.clock().Now(); };
    TestMember& a = broker.member("clinic-a");
    const LeafIndex anchored =
        VALUE_OF(
            broker.LogAnchor("clinic-a", a.NewAnchor(broker.charter(), now())))
            .leaf;
    VALUE_OF(broker.LogErasure(
        "clinic-a", a.ErasureOf({anchored}, broker.charter(), now())));
    broker.SetStatus("clinic-c", MemberStatus::kSuspended);
    broker.Send("clinic-b", "clinic-a");
    broker.clock().Advance(kEnvelopeLifeMax + absl::Seconds(1));
    while (VALUE_OF(broker.retention().Step())) continue;
    for (const char* name : {"clinic-a", "clinic-b"})
      VALUE_OF(broker.PublishKeyEvent(
          name, broker.member(name).NewPrekey(broker.charter(), now())));
    return broker.Send("clinic-a", "clinic-b");
  }

 public:
  const BrokerFixture::Sent delivered =
      Ended("clinic-a", "clinic-b", ReceiptKind::kDelivered);
  const BrokerFixture::Sent undecryptable =
      Ended("clinic-b", "clinic-a", ReceiptKind::kUndecryptable);
  const BrokerFixture::Sent recalled = Recalled();
  const BrokerFixture::Sent pending = Pending();
};

void ExpectSameLog(const Store& store, const Store& other) {
  const LogHead head = store.Head(), expected = other.Head();
  EXPECT_EQ(head.range.size(), expected.range.size());
  EXPECT_EQ(head.range.Root(), expected.range.Root());
  EXPECT_EQ(head.time, expected.time);
  EXPECT_EQ(head.publications, expected.publications);
  EXPECT_EQ(VALUE_OF(store.Entries(LeafIndex(0), kAll)),
            VALUE_OF(other.Entries(LeafIndex(0), kAll)));
  for (const uint32_t level : {0u, 1u})
    EXPECT_EQ(VALUE_OF(store.Hashes(level, 0, kAll)),
              VALUE_OF(other.Hashes(level, 0, kAll)));
  EXPECT_OK(CheckWholeLog(store));
  const auto publications = VALUE_OF(store.Publications(0, kAll));
  const auto others = VALUE_OF(other.Publications(0, kAll));
  ASSERT_EQ(publications.size(), others.size());
  for (size_t i = 0; i < publications.size(); ++i) {
    EXPECT_EQ(publications[i].leaf, others[i].leaf);
    EXPECT_EQ(publications[i].document, others[i].document);
  }
}

void ExpectSameOpenings(const Store& store, const Store& other) {
  const LeafIndex end(other.Head().range.size().value());
  const auto openings = VALUE_OF(store.Openings(LeafIndex(0), end, kAll));
  const auto expected = VALUE_OF(other.Openings(LeafIndex(0), end, kAll));
  ASSERT_EQ(openings.size(), expected.size());
  for (size_t i = 0; i < openings.size(); ++i) {
    EXPECT_EQ(openings[i].leaf, expected[i].leaf);
    EXPECT_EQ(openings[i].parties, expected[i].parties);
    EXPECT_EQ(openings[i].salt, expected[i].salt);
    EXPECT_EQ(openings[i].event, expected[i].event);
  }
}

void ExpectSameRecords(const Store& store, const Store& other) {
  for (uint64_t leaf = 0; leaf < other.Head().range.size().value(); ++leaf) {
    const auto record = store.FindEnvelope(LeafIndex(leaf));
    const auto expected = other.FindEnvelope(LeafIndex(leaf));
    ASSERT_EQ(record.ok(), expected.ok()) << leaf;
    if (!record.ok()) continue;
    EXPECT_EQ(record->state, expected->state) << leaf;
    EXPECT_EQ(record->digest, expected->digest) << leaf;
    EXPECT_EQ(record->expires, expected->expires) << leaf;
  }
}

// Leaves of what is in the mailbox, but for envelopes: their ciphertext is
// lost.
std::vector<LeafIndex> NoticesFor(const Store& store, const char* member) {
  std::vector<LeafIndex> leaves;
  for (const MailboxItem& item : VALUE_OF(store.Mailbox(
           *MemberId::Parse(member), std::nullopt, kAll, 1 << 30)))
    if (!std::holds_alternative<EnvelopeEvent>(item.event))
      leaves.push_back(item.leaf.index);
  return leaves;
}

TEST_P(StoreContract, BringsBackALogAndAllThatItsOpeningsSay) {
  Lost lost;
  const auto logged = LoggedIn(lost.broker.store());
  // In pages, as a rebuild does.
  const std::span<const LoggedEntry> all(logged);
  EXPECT_OK(store().AppendLogged(all.first(5)));
  EXPECT_OK(store().AppendLogged(all.subspan(5)));
  // As the lost one did when it let the old envelope expire.
  const absl::Time kept_since =
      lost.broker.clock().Now() - RetentionPeriods().message;
  EXPECT_OK(
      store().SweepNotices(VALUE_OF(store().FirstLeafAt(kept_since)), kAll));
  for (int i = 0; i < 2; ++i) {
    ExpectSameLog(store(), lost.broker.store());
    ExpectSameOpenings(store(), lost.broker.store());
    ExpectSameRecords(store(), lost.broker.store());
    for (const char* member : {"clinic-a", "clinic-b"}) {
      EXPECT_EQ(NoticesFor(store(), member),
                NoticesFor(lost.broker.store(), member));
      EXPECT_EQ(
          VALUE_OF(store().PendingCount(*MemberId::Parse(member))),
          VALUE_OF(lost.broker.store().PendingCount(*MemberId::Parse(member))));
    }
    Reopen();
    if (store().Head().range.size().value() == 0) break;  // memory
  }
  EXPECT_OK(Directory::Load(store()));
}

TEST_P(StoreContract, BringsBackALogOfWhichNothingElseIsKnown) {
  Lost lost;
  EXPECT_OK(store().AppendLogged(
      LoggedIn(lost.broker.store(), 0, /*with_openings=*/false)));
  ExpectSameLog(store(), lost.broker.store());
  EXPECT_TRUE(
      VALUE_OF(store().Openings(LeafIndex(0), LeafIndex(kAll), kAll)).empty());
  EXPECT_THAT(store().FindEnvelope(lost.delivered.receipt.leaf),
              StatusIs(StatusCode::kNotFound));
}

TEST_P(StoreContract, LogsOnBehindWhatCameBack) {
  Lost lost;
  EXPECT_OK(store().AppendLogged(LoggedIn(lost.broker.store())));
  const TreeSize size = store().Head().range.size();
  lost.broker.Restart(&store());
  const auto sent = lost.broker.Send("clinic-a", "clinic-b");
  EXPECT_EQ(sent.receipt.leaf.value(), size.value());
  EXPECT_OK(CheckWholeLog(store()));
  // What had its answer gets the same again.
  EXPECT_EQ(
      VALUE_OF(lost.broker.Accept("clinic-a", lost.delivered.envelope)).leaf,
      lost.delivered.receipt.leaf);
}

TEST_P(StoreContract, RefusesWhatNoLogHoldsAndWritesNothing) {
  Lost lost;
  const auto logged = LoggedIn(lost.broker.store());
  const auto refuses = [&](std::vector<LoggedEntry> entries) {
    EXPECT_THAT(store().AppendLogged(entries),
                StatusIs(StatusCode::kInvalidArgument));
    EXPECT_EQ(store().Head().range.size().value(), 0u);
    EXPECT_TRUE(VALUE_OF(store().Entries(LeafIndex(0), kAll)).empty());
  };
  auto garbled = logged;
  garbled[3].entry[0] = 0x07;
  refuses(garbled);
  auto other_charter = logged;
  other_charter[0].document += " ";
  refuses(other_charter);
  auto other_opening = logged;
  other_opening[lost.delivered.receipt.leaf.value()].event.back() ^= 1;
  refuses(other_opening);
  auto short_salt = logged;
  short_salt[lost.delivered.receipt.leaf.value()].salt.pop_back();
  refuses(short_salt);
  std::vector<LoggedEntry> backwards(logged.rbegin(), logged.rend());
  refuses(backwards);
  auto twice = logged;
  twice.insert(twice.begin() + 1, logged[0]);
  refuses(twice);
  // The store is as it was, and takes the right ones.
  EXPECT_OK(store().AppendLogged(logged));
}

TEST_P(StoreContract, LetsGoOfWhatMayHaveBeenTakenBackSinceTheBackup) {
  Lost lost;
  Store& source = lost.broker.store();
  EXPECT_OK(store().AppendLogged(LoggedIn(source)));
  lost.broker.Restart(&store());
  const auto in_backup = lost.broker.Send("clinic-b", "clinic-a");
  const InvitationRecord unused{Sha256("token"), *MemberId::Parse("clinic-d"),
                                lost.broker.clock().Now(), std::nullopt};
  EXPECT_OK(store().PutInvitation(unused));
  EXPECT_THAT(store().Rebuilt(), StatusIs(StatusCode::kNotFound));

  const LeafIndex end(store().Head().range.size().value());
  EXPECT_EQ(VALUE_OF(store().EndRebuilding(end)), 2u);
  EXPECT_TRUE(lost.broker.Fetch("clinic-a", in_backup.receipt.leaf).empty());
  for (const Delivery& item : lost.broker.Fetch("clinic-a"))
    EXPECT_FALSE(std::holds_alternative<EnvelopeEvent>(item.item.event));
  EXPECT_THAT(store().FindInvitation(unused.token_hash),
              StatusIs(StatusCode::kNotFound));
  const RebuiltRange range = VALUE_OF(store().Rebuilt());
  EXPECT_EQ(range.from, lost.pending.receipt.leaf);
  EXPECT_EQ(range.to.value(), end.value());

  // Its recipient may have had it, its sender may send it once more.
  EXPECT_OK(lost.broker.Acknowledge(
      "clinic-a", lost.broker.ReceiptFor("clinic-a", in_backup)));
  EXPECT_GE(
      VALUE_OF(lost.broker.Accept("clinic-a", lost.pending.envelope)).leaf,
      end);
  // The next one covers this one, too.
  EXPECT_EQ(VALUE_OF(store().EndRebuilding(
                LeafIndex(store().Head().range.size().value()))),
            2u);
  EXPECT_EQ(VALUE_OF(store().Rebuilt()).from, range.from);
}

TEST_P(StoreContract, AttackALateOpeningBringsBackNothingThatWasErased) {
  Lost lost;
  Store& source = lost.broker.store();
  const LeafIndex both = lost.delivered.receipt.leaf;
  const LeafIndex one = lost.undecryptable.receipt.leaf;
  const LeafIndex answer(one.value() + 1);  // its receipt
  const std::vector<Opening> late = {VALUE_OF(source.GetOpening(both)),
                                     VALUE_OF(source.GetOpening(one)),
                                     VALUE_OF(source.GetOpening(answer))};
  const auto erase = [&](const char* name, std::vector<LeafIndex> leaves) {
    VALUE_OF(lost.broker.LogErasure(
        name, lost.broker.member(name).ErasureOf(std::move(leaves),
                                                 lost.broker.charter(),
                                                 lost.broker.clock().Now())));
  };
  erase("clinic-a", {both, one});
  erase("clinic-b", {both});
  auto logged = LoggedIn(source);
  for (const LeafIndex leaf : {one, answer}) {
    logged[leaf.value()].event.clear();
    logged[leaf.value()].salt.clear();
  }
  EXPECT_OK(store().AppendLogged(logged));

  auto forged = late;
  forged[0].event.back() ^= 1;
  EXPECT_THAT(store().AddOpenings(forged),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(store().GetOpening(one), StatusIs(StatusCode::kNotFound));
  EXPECT_OK(store().AddOpenings(late));
  VALUE_OF(
      store().EndRebuilding(LeafIndex(store().Head().range.size().value())));
  EXPECT_THAT(store().GetOpening(both), StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(VALUE_OF(store().GetOpening(one)).event, late[1].event);
  // The other end may still ask for it.
  lost.broker.Restart(&store());
  erase("clinic-b", {one});
  EXPECT_THAT(store().GetOpening(one), StatusIs(StatusCode::kNotFound));
}

// One member's mirror had the receipts, another's, later, the envelopes.
TEST_P(StoreContract, AnEnvelopeThatComesAfterItsReceiptDoesNotStayPending) {
  Lost lost;
  const Store& source = lost.broker.store();
  auto logged = LoggedIn(source);
  std::vector<Opening> late;
  for (const auto* sent :
       {&lost.delivered, &lost.undecryptable, &lost.recalled}) {
    const LeafIndex leaf = sent->receipt.leaf;
    late.push_back(VALUE_OF(source.GetOpening(leaf)));
    logged[leaf.value()].event.clear();
    logged[leaf.value()].salt.clear();
  }
  EXPECT_OK(store().AppendLogged(logged));
  EXPECT_OK(store().AddOpenings(late));
  // What waited when the log was lost, and no more, is to be sent again.
  EXPECT_EQ(VALUE_OF(store().EndRebuilding(
                LeafIndex(store().Head().range.size().value()))),
            1u);
  for (const auto* sent :
       {&lost.delivered, &lost.undecryptable, &lost.recalled}) {
    const LeafIndex leaf = sent->receipt.leaf;
    EXPECT_EQ(VALUE_OF(store().FindEnvelope(leaf)).state,
              VALUE_OF(source.FindEnvelope(leaf)).state);
  }
}

// A mailbox that was full has room for all that is sent again, and what became
// of the lost ones makes no more of it.
TEST_P(StoreContract, CountsNothingThatARebuildLetGoOf) {
  Lost lost;
  EXPECT_OK(store().AppendLogged(LoggedIn(lost.broker.store())));
  const MemberId b = *MemberId::Parse("clinic-b");
  ASSERT_EQ(VALUE_OF(store().PendingCount(b)), 1u);
  EXPECT_EQ(VALUE_OF(store().EndRebuilding(
                LeafIndex(store().Head().range.size().value()))),
            1u);
  EXPECT_EQ(VALUE_OF(store().PendingCount(b)), 0u);
  lost.broker.Restart(&store());
  VALUE_OF(lost.broker.Accept("clinic-a", lost.pending.envelope));
  EXPECT_EQ(VALUE_OF(store().PendingCount(b)), 1u);
  VALUE_OF(lost.broker.Acknowledge(
      "clinic-b", lost.broker.ReceiptFor("clinic-b", lost.pending)));
  EXPECT_EQ(VALUE_OF(store().PendingCount(b)), 1u);
}

}  // namespace
}  // namespace amparo::broker

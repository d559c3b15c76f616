#include "broker/core/checkpointer.h"

#include <memory>
#include <string>

#include "broker/store/memory_store.h"
#include "crypto/merkle_path.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

// Says that its log ends where a test wants it to.
class ShortStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  std::optional<LogHead> head;
  bool refuses_checkpoints = false;

  LogHead Head() const override {
    return head ? *head : ForwardingStore::Head();
  }
  absl::StatusOr<std::string> PutCheckpoint(TreeSize size,
                                            const std::string& note) override {
    if (refuses_checkpoints) return absl::UnavailableError("disk");
    return ForwardingStore::PutCheckpoint(size, note);
  }
};

struct Published {
  BrokerFixture broker{{"clinic-a", "clinic-b"}};
  ShortStore store{broker.store()};
  InboxFeed watchers{8};
  int woken = 0;
  InboxFeed::Subscription watch =
      VALUE_OF(watchers.Subscribe(broker.Id("clinic-a"), [this] { ++woken; }));
  Checkpointer checkpointer{store, broker.network(), broker.log_key(), broker.witnesses(), watchers,
                            broker.clock()};

  Checkpoint Newest() {
    return VALUE_OF(
        VerifyCheckpoint(VALUE_OF(checkpointer.Newest()), broker.log()));
  }
};

TEST(Checkpointer, SignsTheHeadAndWakesThoseWhoWatch) {
  Published of;
  EXPECT_THAT(of.checkpointer.Newest(), StatusIs(StatusCode::kNotFound));
  EXPECT_OK(of.checkpointer.PublishNext());
  const LogHead head = of.broker.store().Head();
  EXPECT_EQ(
      of.Newest(),
      (Checkpoint{
          of.broker.network(), head.range.size(), head.range.Root(), {}}));
  EXPECT_EQ(of.woken, 1);
}

TEST(Checkpointer, BothKeysSignWhileTheLogsKeyChanges) {
  Published of;
  const SigningKey second = SigningKey::Generate();
  const NoteVerifier other = VALUE_OF(NoteVerifier::Create(
      of.broker.network(), NoteKeyType::kEd25519, second.verify_key()));
  of.checkpointer.SignAlsoWith(second);
  ASSERT_OK(of.checkpointer.PublishNext());
  // Whoever knows either believes the same tree and the same time.
  const std::string note = VALUE_OF(of.checkpointer.NewestNow()).note;
  EXPECT_EQ(VALUE_OF(VerifyCheckpoint(note, of.broker.log())),
            VALUE_OF(VerifyCheckpoint(note, other)));
  EXPECT_EQ(VALUE_OF(TimeOfCheckpoint(note, of.broker.log())),
            VALUE_OF(TimeOfCheckpoint(note, other)));
  // Nobody else's key does.
  const NoteVerifier stranger = VALUE_OF(
      NoteVerifier::Create(of.broker.network(), NoteKeyType::kEd25519,
                           SigningKey::Generate().verify_key()));
  EXPECT_THAT(VerifyCheckpoint(note, stranger),
              StatusIs(StatusCode::kNotFound));
}

TEST(Checkpointer, SaysNothingNewForAnHourUnlessTheLogGrows) {
  Published of;
  EXPECT_OK(of.checkpointer.PublishNext());
  EXPECT_OK(of.checkpointer.PublishNext());
  EXPECT_EQ(of.woken, 1);
  of.broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(of.checkpointer.PublishNext());
  EXPECT_EQ(of.woken, 2);
  of.broker.clock().Advance(absl::Hours(1));
  EXPECT_OK(of.checkpointer.PublishNext());
  EXPECT_EQ(of.woken, 3);
}

TEST(Checkpointer, SaysWhenItShowsAndShowsAQuietLogAgainEachHour) {
  Published of;
  EXPECT_THAT(of.checkpointer.NewestNow(), StatusIs(StatusCode::kNotFound));
  EXPECT_OK(of.checkpointer.PublishNext());
  const auto shown = VALUE_OF(of.checkpointer.NewestNow());
  const auto time_of = [&](const std::string& note) {
    return VALUE_OF(TimeOfCheckpoint(note, of.broker.log()));
  };
  EXPECT_EQ(time_of(shown.note), of.broker.clock().Now());
  // Whoever asks later hears of the same tree, now; nobody is woken for that.
  of.broker.clock().Advance(absl::Minutes(7));
  const auto later = VALUE_OF(of.checkpointer.NewestNow());
  EXPECT_EQ(later.showing, shown.showing);
  EXPECT_EQ(time_of(later.note), of.broker.clock().Now());
  EXPECT_EQ(VALUE_OF(VerifyCheckpoint(later.note, of.broker.log())), of.Newest());
  of.broker.clock().Advance(absl::Hours(1));
  EXPECT_OK(of.checkpointer.PublishNext());
  EXPECT_GT(VALUE_OF(of.checkpointer.NewestNow()).showing, shown.showing);
  // A clock set back by a day silences nobody.
  of.broker.clock().Advance(-absl::Hours(24));
  EXPECT_OK(of.checkpointer.PublishNext());
  EXPECT_EQ(of.woken, 3);
}

TEST(Checkpointer, NeverShrinks) {
  Published of;
  const LogHead before = of.broker.store().Head();
  of.broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(of.checkpointer.PublishNext());
  const Checkpoint shown = of.Newest();
  of.store.head = before;
  EXPECT_THAT(of.checkpointer.PublishNext(), StatusIs(StatusCode::kDataLoss));
  EXPECT_EQ(of.Newest(), shown);
  // Nor does one that starts anew on such a store.
  Checkpointer restarted(of.store, of.broker.network(), of.broker.log_key(),
                         of.broker.witnesses(), of.watchers, of.broker.clock());
  EXPECT_THAT(restarted.PublishNext(), StatusIs(StatusCode::kDataLoss));
}

TEST(Checkpointer, SignsNoSecondTreeOfASize) {
  Published of;
  EXPECT_OK(of.checkpointer.PublishNext());
  of.broker.Send("clinic-a", "clinic-b");
  // As if another broker had signed another tree of the next size.
  const LogHead head = of.broker.store().Head();
  const std::string other = VALUE_OF(SignCheckpoint(
      {of.broker.network(), head.range.size(), Sha256("another tree"), {}},
      of.broker.log_key()));
  EXPECT_OK(of.broker.store().PutCheckpoint(head.range.size(), other));
  EXPECT_THAT(of.checkpointer.PublishNext(), StatusIs(StatusCode::kDataLoss));
  EXPECT_LT(of.Newest().size, head.range.size());
}

TEST(Checkpointer, ShowsNothingThatWasNotStored) {
  Published of;
  of.store.refuses_checkpoints = true;
  EXPECT_THAT(of.checkpointer.PublishNext(),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(of.checkpointer.Newest(), StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(of.woken, 0);
}

TEST(Checkpointer, ShowsWhatWasShownBeforeARestart) {
  Published of;
  EXPECT_OK(of.checkpointer.PublishNext());
  Checkpointer restarted(of.store, of.broker.network(), of.broker.log_key(),
                         of.broker.witnesses(), of.watchers, of.broker.clock());
  EXPECT_EQ(VALUE_OF(restarted.Newest()), VALUE_OF(of.checkpointer.Newest()));
}

}  // namespace
}  // namespace amparo::broker

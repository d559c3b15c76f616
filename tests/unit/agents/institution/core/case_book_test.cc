#include "agents/institution/core/case_book.h"

#include <thread>

#include "base/kv/memory_kv.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/agents/institution/core/error_code.h"

namespace amparo::agent {
namespace {

using absl::StatusCode;

class CaseBookTest : public testing::Test {
 protected:
  CaseBookTest() : book_(VALUE_OF(CaseBook::Open(kv_, ong_))) {}

  static MemberId Id(const char* name) {
    return VALUE_OF(MemberId::Parse(name));
  }
  CaseEvent Sent(const ReferralId& referral, const MemberId& to) {
    return {.id = event_,
            .case_id = case_,
            .from = ong_,
            .to = to,
            .at = clock_.Now(),
            .leaf = std::nullopt,
            .envelope = std::nullopt,
            .body = DocumentSent{.referral_id = referral,
                                 .document = Sha256(absl::string_view("d")),
                                 .purpose = "support",
                                 .slots = {{{Section::kRisk}, "g-x"}}}};
  }
  CaseEvent Note(Delivery delivery, const MemberId& to) {
    return {.id = EventId::New(),
            .case_id = case_,
            .from = ong_,
            .to = to,
            .at = clock_.Now(),
            .leaf = std::nullopt,
            .envelope = std::nullopt,
            .body = DeliveryNoted{event_, delivery, ""}};
  }
  absl::StatusOr<std::shared_ptr<const Case>> Store(CaseChange change) {
    return book_->Change(case_, [&](const Case*) -> absl::StatusOr<CaseChange> {
      return std::move(change);
    });
  }
  void Reopen() { book_ = VALUE_OF(CaseBook::Open(kv_, ong_)); }

  MemoryKv kv_;
  FakeClock clock_;
  const MemberId ong_ = Id("ong"), uls_ = Id("uls"), gnr_ = Id("gnr");
  const CaseId case_ = CaseId::New();
  const EventId event_ = EventId::New();
  const ReferralId referral_ = ReferralId::New();
  std::unique_ptr<CaseBook> book_;
};

// One such row, and the agent starts no more; nor does what its backup has.
TEST_F(CaseBookTest, AttackAnEventThatCannotBeReadAgainIsNotStored) {
  ASSERT_OK(Store({{Sent(referral_, uls_)}, {}, {}}));
  CaseEvent event = Sent(ReferralId::New(), ong_);
  event.id = EventId::New();
  event.from = uls_;
  std::get<DocumentSent>(event.body).purpose = std::string(64 << 10, 'x');
  EXPECT_THAT(Store({{event}, {}, {}}), StatusIs(StatusCode::kInvalidArgument));
  Reopen();
  EXPECT_EQ(book_->Find(case_)->events.size(), 1u);
}

// Each time under another consent; of an own event that is to be remembered.
TEST_F(CaseBookTest,
       AttackMailThatComesAgainWithoutEndKeepsNoAgentFromItsStart) {
  constexpr size_t kTimes = 300;
  for (const MemberId& from : {uls_, ong_}) {
    CaseEvent event = Sent(referral_, from == ong_ ? uls_ : ong_);
    event.id = EventId::New();
    event.from = from;
    for (size_t i = 0; i <= kTimes; ++i) {
      event.envelope = Sha256(std::to_string(i));
      std::get<DocumentSent>(event.body).slots = {
          {{Section::kRisk}, GrantId::New().text()}};
      ASSERT_OK(Store({{event}, {}, {}}));
    }
    Reopen();
    const auto& stored =
        std::get<DocumentSent>(book_->Find(case_)->events.back().body);
    EXPECT_EQ(stored.also_under.size(), from == ong_ ? kTimes : 0u);
  }
}

TEST_F(CaseBookTest, DecidesOnTheCaseAsItIs) {
  bool unknown = false;
  ASSERT_OK(book_->Change(
      case_, [&](const Case* current) -> absl::StatusOr<CaseChange> {
        unknown = current == nullptr;
        return CaseChange{{Sent(referral_, uls_)}, {}, {}};
      }));
  EXPECT_TRUE(unknown);
  ASSERT_OK(book_->Change(
      case_, [&](const Case* current) -> absl::StatusOr<CaseChange> {
        EXPECT_EQ(current->events.size(), 1u);
        return CaseChange();
      }));
  EXPECT_EQ(book_->FindByReferral({ong_, referral_})->state.case_id, case_);
}

TEST_F(CaseBookTest, ARefusedDecisionChangesNothing) {
  EXPECT_THAT(book_->Change(case_,
                            [&](const Case*) -> absl::StatusOr<CaseChange> {
                              return absl::PermissionDeniedError("no");
                            }),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(book_->Find(case_), nullptr);
  EXPECT_EQ(book_->revision(), 0u);
}

TEST_F(CaseBookTest, WritesOtherBooksRowsInTheSameStep) {
  Batch rows;
  rows.Put("other", AsBytes("1"));
  kv_.FailWrites(absl::InternalError("disk"));
  EXPECT_FALSE(Store({{Sent(referral_, uls_)}, {}, rows}).ok());
  EXPECT_EQ(book_->Find(case_), nullptr);
  kv_.FailWrites(absl::OkStatus());
  ASSERT_OK(Store({{Sent(referral_, uls_)}, {}, rows}));
  EXPECT_OK(kv_.Get("other"));
}

TEST_F(CaseBookTest, ReplacesAnEventOfTheSameIdSenderAndRecipient) {
  ASSERT_OK(Store({{Sent(referral_, uls_), Sent(referral_, gnr_)}, {}, {}}));
  CaseEvent logged = Sent(referral_, uls_);
  logged.leaf = LeafIndex(9);
  ASSERT_OK(Store({{logged}, {}, {}}));
  const auto entry = book_->Find(case_);
  ASSERT_EQ(entry->events.size(), 2u);
  EXPECT_EQ(entry->events[0].leaf, LeafIndex(9));
  EXPECT_FALSE(entry->events[1].leaf.has_value());
}

TEST_F(CaseBookTest, AnIdIsItsSendersOwn) {
  ASSERT_OK(
      Store({{Sent(referral_, uls_)}, {{{event_, ong_}, {"ours", {}}}}, {}}));
  CaseEvent theirs = Sent(ReferralId::New(), uls_);
  theirs.from = gnr_;
  ASSERT_OK(Store({{theirs}, {{{event_, gnr_}, {"theirs", {}}}}, {}}));
  EXPECT_EQ(book_->Find(case_)->events.size(), 2u);
  EXPECT_EQ(VALUE_OF(book_->ContentOf(case_, event_, ong_)).document, "ours");
  EXPECT_EQ(VALUE_OF(book_->ContentOf(case_, event_, gnr_)).document, "theirs");
}

TEST_F(CaseBookTest, AddsNotesOneAfterTheOther) {
  ASSERT_OK(Store({{Sent(referral_, uls_)}, {}, {}}));
  ASSERT_OK(Store({{Note(Delivery::kSubmitted, uls_)}, {}, {}}));
  ASSERT_OK(Store({{Note(Delivery::kDelivered, uls_)}, {}, {}}));
  EXPECT_EQ(book_->Find(case_)->events.size(), 3u);
  EXPECT_EQ(book_->Find(case_)->state.Find(referral_, uls_)->delivery,
            Delivery::kDelivered);
}

TEST_F(CaseBookTest, IsTheSameAfterARestart) {
  ASSERT_OK(Store({{Sent(referral_, uls_), Sent(referral_, gnr_)}, {}, {}}));
  ASSERT_OK(Store({{Note(Delivery::kDelivered, gnr_)}, {}, {}}));
  Reopen();
  const auto entry = book_->FindByReferral({ong_, referral_});
  ASSERT_NE(entry, nullptr);
  ASSERT_EQ(entry->events.size(), 3u);
  EXPECT_EQ(entry->state.Find(referral_, gnr_)->state,
            ReferralState::kReceived);
  EXPECT_EQ(entry->state.Find(referral_, uls_)->state, ReferralState::kSent);
}

TEST_F(CaseBookTest, KeepsContentsBesideTheEvents) {
  const Content content{
      "jwt", {{{Section::kRisk}, "d1"}, {{Section::kRisk, true}, "d2"}}};
  ASSERT_OK(Store({{Sent(referral_, uls_)}, {{{event_, ong_}, content}}, {}}));
  Reopen();
  const Content stored = VALUE_OF(book_->ContentOf(case_, event_, ong_));
  EXPECT_EQ(stored.document, "jwt");
  EXPECT_EQ(stored.disclosures, content.disclosures);
  EXPECT_THAT(book_->ContentOf(case_, EventId::New(), ong_),
              StatusIs(StatusCode::kNotFound));
  // Erased is gone, not hidden.
  ASSERT_OK(Store({{}, {{{event_, ong_}, {"jwt", {}}}}, {}}));
  EXPECT_TRUE(
      VALUE_OF(book_->ContentOf(case_, event_, ong_)).disclosures.empty());
}

TEST_F(CaseBookTest, ResolvesUniquePrefixes) {
  ASSERT_OK(Store({{Sent(referral_, uls_)}, {}, {}}));
  const std::string text = referral_.text();
  EXPECT_EQ(VALUE_OF(book_->ResolveReferral(text)).second, referral_);
  EXPECT_EQ(VALUE_OF(book_->ResolveReferral(text.substr(0, 6))).second,
            referral_);
  EXPECT_EQ(VALUE_OF(book_->ResolveCase(case_.text().substr(0, 10))), case_);
  for (const std::string& bad :
       {text.substr(0, 5), std::string(), std::string("r-"), text + "a",
        "c" + text.substr(1), std::string("r-zzzz")})
    EXPECT_THAT(book_->ResolveReferral(bad), HasErrorCode("not_found")) << bad;
}

TEST_F(CaseBookTest, SaysWhenAPrefixFitsSeveral) {
  std::array<uint8_t, 16> bytes = {};
  for (const uint8_t last : {1, 2}) {
    bytes[15] = last;
    CaseEvent event = Sent(VALUE_OF(ReferralId::FromBytes(bytes)), uls_);
    event.id = EventId::New();
    ASSERT_OK(Store({{event}, {}, {}}));
  }
  EXPECT_THAT(book_->ResolveReferral("r-aaaa"), HasErrorCode("ambiguous_id"));
}

TEST_F(CaseBookTest, AnIdThatTwoMembersUseSaysWhose) {
  const auto from = [&](const MemberId& sender) {
    const CaseId id = CaseId::New();
    CaseEvent event = Sent(referral_, ong_);
    event.id = EventId::New();
    event.case_id = id;
    event.from = sender;
    EXPECT_OK(book_
                  ->Change(id,
                           [&](const Case*) -> absl::StatusOr<CaseChange> {
                             return CaseChange{{event}, {}, {}};
                           })
                  .status());
    return id;
  };
  const std::string text = referral_.text();
  const CaseId first = from(uls_), second = from(gnr_);
  EXPECT_THAT(book_->ResolveReferral(text), HasErrorCode("ambiguous_id"));
  EXPECT_EQ(VALUE_OF(book_->ResolveReferral(text + "@uls")),
            ReferralKey(uls_, referral_));
  EXPECT_EQ(VALUE_OF(book_->ResolveReferral(text.substr(0, 8) + "@gnr")),
            ReferralKey(gnr_, referral_));
  for (const char* whose : {"@", "@mp", "@uls@gnr"})
    EXPECT_THAT(book_->ResolveReferral(text + whose),
                HasErrorCode("not_found"));
  EXPECT_EQ(book_->FindByReferral({uls_, referral_})->state.case_id, first);
  EXPECT_EQ(book_->FindByReferral({gnr_, referral_})->state.case_id, second);
  EXPECT_EQ(book_->FindByReferral({ong_, referral_}), nullptr);
  // Its own needs no more words.
  ASSERT_OK(Store({{Sent(referral_, uls_)}, {}, {}}));
  EXPECT_EQ(VALUE_OF(book_->ResolveReferral(text)),
            ReferralKey(ong_, referral_));
}

TEST_F(CaseBookTest, WakesWhoWaitsForAChange) {
  const uint64_t before = book_->revision();
  std::thread changing([&] {
    EXPECT_OK(Store({{Sent(referral_, uls_)}, {}, {}}));
  });
  EXPECT_GT(book_->WaitBeyond(before, absl::Seconds(60)), before);
  changing.join();
  EXPECT_EQ(book_->WaitBeyond(book_->revision(), absl::ZeroDuration()),
            book_->revision());
}

TEST_F(CaseBookTest, TakesOneDecisionAtATime) {
  ASSERT_OK(Store({{Sent(referral_, uls_)}, {}, {}}));
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i)
    writers.emplace_back([&] {
      for (int n = 0; n < 20; ++n) {
        const auto change = book_->Change(case_, [&](const Case* current) {
          // Each sees all that were stored before it.
          CaseEvent note = Note(Delivery::kSubmitted, uls_);
          std::get<DeliveryNoted>(note.body).code =
              std::to_string(current->events.size());
          return absl::StatusOr<CaseChange>(CaseChange{{note}, {}, {}});
        });
        EXPECT_OK(change);
      }
    });
  for (std::thread& writer : writers) writer.join();
  const auto entry = book_->Find(case_);
  ASSERT_EQ(entry->events.size(), 81u);
  for (size_t i = 1; i < entry->events.size(); ++i)
    EXPECT_EQ(std::get<DeliveryNoted>(entry->events[i].body).code,
              std::to_string(i));
}

}  // namespace
}  // namespace amparo::agent

#include "proto/content/case_state.h"

#include <algorithm>
#include <string>

#include "gtest/gtest.h"
#include "tests/unit/proto/content/story.h"

namespace amparo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Slot kRisk{Section::kRisk};
constexpr Slot kNarrative{Section::kNarrative};

class CaseStateTest : public testing::Test {
 protected:
  Story story_;
};

TEST_F(CaseStateTest, AReferralGoesFromSentToCompletedOnBothSides) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  std::vector<CaseEvent> ong = {sent}, uls = {sent};
  EXPECT_EQ(story_.At(kOng, kUls, ong).state, ReferralState::kSent);
  EXPECT_EQ(story_.At(kOng, kUls, ong).delivery, Delivery::kSubmitted);
  EXPECT_EQ(story_.At(kUls, kOng, uls).state, ReferralState::kReceived);
  EXPECT_EQ(story_.At(kUls, kOng, uls).delivery, Delivery::kDelivered);

  ong.push_back(story_.Note(sent, Delivery::kDelivered));
  EXPECT_EQ(story_.At(kOng, kUls, ong).state, ReferralState::kReceived);
  EXPECT_EQ(story_.At(kOng, kUls, ong).delivery, Delivery::kDelivered);

  const auto both = [&](const CaseEvent& event) {
    ong.push_back(event);
    uls.push_back(event);
    EXPECT_EQ(story_.At(kOng, kUls, ong).state,
              story_.At(kUls, kOng, uls).state);
    EXPECT_EQ(story_.At(kOng, kUls, ong).delivery,
              story_.At(kUls, kOng, uls).delivery);
  };
  both(story_.Opened(sent));
  EXPECT_EQ(story_.At(kOng, kUls, ong).delivery, Delivery::kOpened);
  EXPECT_EQ(story_.At(kOng, kUls, ong).state, ReferralState::kReceived);
  both(story_.Answer(kUls, kOng, EventKind::kAccepted));
  EXPECT_EQ(story_.At(kOng, kUls, ong).state, ReferralState::kAccepted);
  both(story_.Answer(kUls, kOng, EventKind::kClosed, "goals_met"));
  const PeerReferral closed = story_.At(kOng, kUls, ong);
  EXPECT_EQ(closed.state, ReferralState::kCompleted);
  EXPECT_EQ(closed.outcome, "goals_met");
}

TEST_F(CaseStateTest, EachOutcomeEndsAsTheListSays) {
  for (const absl::string_view outcome : Outcomes()) {
    Story story;
    const auto end = story.At(
        kOng, kUls,
        {story.Sent(kOng, kUls), story.Answer(kUls, kOng, EventKind::kAccepted),
         story.Answer(kUls, kOng, EventKind::kClosed, std::string(outcome))});
    EXPECT_EQ(end.state, MeansNotCompleted(outcome)
                             ? ReferralState::kNotCompleted
                             : ReferralState::kCompleted);
  }
  EXPECT_TRUE(MeansNotCompleted("consent_withdrawn"));
  EXPECT_FALSE(MeansNotCompleted("referred_on"));
}

TEST_F(CaseStateTest, EveryRecipientHasAStateOfItsOwn) {
  const CaseEvent to_uls = story_.Sent(kOng, kUls);
  CaseEvent to_gnr = story_.Sent(kOng, kGnr);
  to_gnr.id = to_uls.id;  // one document, two recipients
  const std::vector<CaseEvent> events = {
      to_uls, to_gnr, story_.Note(to_gnr, Delivery::kDelivered),
      story_.Answer(kUls, kOng, EventKind::kDeclined, "no_capacity")};
  EXPECT_EQ(story_.At(kOng, kUls, events).state, ReferralState::kDeclined);
  EXPECT_EQ(story_.At(kOng, kUls, events).reason_code, "no_capacity");
  EXPECT_EQ(story_.At(kOng, kGnr, events).state, ReferralState::kReceived);
  EXPECT_EQ(story_.At(kOng, kUls, events).delivery, Delivery::kDelivered);
  EXPECT_THAT(story_.FoldAt(kOng, events).FindAll({kOng, story_.referral_id}),
              SizeIs(2));
}

TEST_F(CaseStateTest, EveryOrderOfArrivalFoldsTheSame) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  std::vector<CaseEvent> events = {
      sent,
      story_.Note(sent, Delivery::kDelivered),
      story_.Opened(sent),
      story_.Sent(kOng, kUls, EventKind::kUpdated, Fill(2)),
      story_.Answer(kUls, kOng, EventKind::kAccepted),
      story_.Answer(kOng, kUls, EventKind::kCancelRequested),
      story_.Answer(kUls, kOng, EventKind::kClosed, "goals_met")};
  std::vector<size_t> order(events.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  int orders = 0;
  do {
    std::vector<CaseEvent> shuffled;
    for (const size_t i : order) shuffled.push_back(events[i]);
    const PeerReferral referral = story_.At(kOng, kUls, shuffled);
    ASSERT_EQ(referral.state, ReferralState::kCompleted);
    ASSERT_EQ(referral.delivery, Delivery::kOpened);
    ASSERT_EQ(referral.shared.at(kRisk).version, 2u);
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(orders, 5040);
}

TEST_F(CaseStateTest, AnEventThatComesTwiceCountsOnce) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  CaseEvent again = sent;  // sealed anew
  again.leaf = LeafIndex(50);
  again.envelope = Fill(50);
  const CaseEvent update =
      story_.Sent(kOng, kUls, EventKind::kUpdated, Fill(2));
  const PeerReferral referral =
      story_.At(kUls, kOng, {sent, update, again, sent, update});
  EXPECT_EQ(referral.shared.at(kRisk).version, 2u);
  // A receipt for either envelope is about the same event.
  CaseEvent opened = story_.Opened(again);
  EXPECT_EQ(story_.At(kOng, kUls, {sent, again, opened}).delivery,
            Delivery::kOpened);
}

TEST_F(CaseStateTest, AGapBlocksNothingAndIsFilledLater) {
  const CaseEvent sent = story_.Sent(kOng, kUls, EventKind::kReferral, Fill(1),
                                     {kRisk, kNarrative});
  const CaseEvent update =
      story_.Sent(kOng, kUls, EventKind::kUpdated, Fill(2));
  const PeerReferral late = story_.At(kUls, kOng, {update});
  EXPECT_EQ(late.state, ReferralState::kReceived);
  EXPECT_TRUE(late.begun_late);
  EXPECT_EQ(late.shared.at(kRisk).event_id, update.id);

  CaseEvent resent = sent;  // under a new link, behind the update in the log
  resent.leaf = LeafIndex(90);
  for (const CaseEvent& first : {sent, resent}) {
    const PeerReferral whole = story_.At(kUls, kOng, {update, first});
    EXPECT_FALSE(whole.begun_late);
    EXPECT_EQ(whole.event_id, sent.id);
    EXPECT_EQ(whole.shared.at(kRisk).event_id, update.id);
    EXPECT_EQ(whole.shared.at(kRisk).version, 2u);
    EXPECT_EQ(whole.shared.at(kNarrative).event_id, sent.id);
    EXPECT_THAT(whole.documents, ElementsAre(Fill(1), Fill(2)));
  }
}

TEST_F(CaseStateTest, ALaterDisclosureFitsTheFirstDocument) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  const CaseEvent more =
      story_.Sent(kOng, kUls, EventKind::kDisclosed, Fill(1), {kNarrative});
  const PeerReferral referral = story_.At(kUls, kOng, {sent, more});
  EXPECT_TRUE(referral.shared.at(kNarrative).fits_first_digest);
  EXPECT_EQ(referral.shared.at(kNarrative).event_id, more.id);
  EXPECT_EQ(referral.shared.at(kRisk).event_id, sent.id);
}

TEST_F(CaseStateTest, ADisclosureOfAnUnknownDocumentDoesNotClaimToFit) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  const CaseEvent other =
      story_.Sent(kOng, kUls, EventKind::kDisclosed, Fill(9), {kNarrative});
  EXPECT_FALSE(story_.At(kUls, kOng, {sent, other})
                   .shared.at(kNarrative)
                   .fits_first_digest);
}

TEST_F(CaseStateTest, AnOldDocumentDisclosedLateDoesNotHideTheNewVersion) {
  const CaseEvent sent =
      story_.Sent(kOng, kUls, EventKind::kReferral, Fill(1), {kNarrative});
  const CaseEvent update =
      story_.Sent(kOng, kUls, EventKind::kUpdated, Fill(2));
  const CaseEvent more =
      story_.Sent(kOng, kUls, EventKind::kDisclosed, Fill(1));
  const PeerReferral referral = story_.At(kUls, kOng, {sent, update, more});
  EXPECT_EQ(referral.shared.at(kRisk).event_id, update.id);
}

// ---- cancelling, failing, crossing

TEST_F(CaseStateTest, ARecallBeforeDeliveryCancels) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  const PeerReferral referral =
      story_.At(kOng, kUls, {sent, story_.Note(sent, Delivery::kRecalled)});
  EXPECT_EQ(referral.state, ReferralState::kCancelled);
  EXPECT_EQ(referral.delivery, Delivery::kRecalled);
}

TEST_F(CaseStateTest, CancellingAfterDeliveryIsTheRecipientsWord) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  std::vector<CaseEvent> events = {
      sent, story_.Answer(kOng, kUls, EventKind::kCancelRequested)};
  for (const MemberId& self : {kOng, kUls})
    EXPECT_EQ(story_.At(self, self == kOng ? kUls : kOng, events).state,
              ReferralState::kCancelRequested);
  events.push_back(story_.Answer(kUls, kOng, EventKind::kCancelled));
  EXPECT_EQ(story_.At(kOng, kUls, events).state, ReferralState::kCancelled);
}

TEST_F(CaseStateTest, AnswersThatCrossFoldTheSameOnBothSides) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  const CaseEvent request =
      story_.Answer(kOng, kUls, EventKind::kCancelRequested);
  const CaseEvent accept = story_.Answer(kUls, kOng, EventKind::kAccepted);
  // The log had the request first: the acceptance comes too late for both.
  for (const auto& events : {std::vector{sent, request, accept},
                             std::vector{sent, accept, request}}) {
    EXPECT_EQ(story_.At(kOng, kUls, events).state,
              ReferralState::kCancelRequested);
    EXPECT_EQ(story_.At(kUls, kOng, events).state,
              ReferralState::kCancelRequested);
    EXPECT_THAT(story_.FoldAt(kOng, events).ignored, ElementsAre(accept.id));
  }
}

TEST_F(CaseStateTest, WhatPolicyStoppedEndsAsAnError) {
  CaseEvent queued = story_.Sent(kOng, kUls);
  queued.leaf = std::nullopt;
  queued.envelope = std::nullopt;
  EXPECT_EQ(story_.At(kOng, kUls, {queued}).delivery, Delivery::kQueued);
  const PeerReferral failed = story_.At(
      kOng, kUls,
      {queued, story_.Note(queued, Delivery::kFailed, "consent_revoked")});
  EXPECT_EQ(failed.state, ReferralState::kError);
  EXPECT_EQ(failed.delivery, Delivery::kFailed);
  EXPECT_EQ(failed.failure, "consent_revoked");
}

TEST_F(CaseStateTest, WhatNeverCameIsNotShared) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  const CaseEvent more = story_.Sent(kOng, kUls, EventKind::kDisclosed, Fill(1),
                                     {kNarrative, kRisk});
  for (const Delivery end : {Delivery::kFailed, Delivery::kRecalled}) {
    const CaseEvent note = story_.Note(more, end, "consent_revoked");
    const PeerReferral referral = story_.At(kOng, kUls, {sent, more, note});
    EXPECT_FALSE(referral.shared.at(kNarrative).reached);
    // What came before stays what the recipient has.
    EXPECT_TRUE(referral.shared.at(kRisk).reached);
    EXPECT_EQ(referral.shared.at(kRisk).event_id, sent.id);
    // The recipient's word counts, and so does another try.
    EXPECT_TRUE(
        story_
            .At(kOng, kUls,
                {sent, more, note, story_.Note(more, Delivery::kDelivered)})
            .shared.at(kNarrative)
            .reached);
    const CaseEvent again =
        story_.Sent(kOng, kUls, EventKind::kDisclosed, Fill(1), {kNarrative});
    EXPECT_TRUE(story_.At(kOng, kUls, {sent, more, note, again})
                    .shared.at(kNarrative)
                    .reached);
  }
}

TEST_F(CaseStateTest, OnlyRoutineMailRunsOutIntoExpired) {
  for (const Priority priority : {Priority::kRoutine, Priority::kImmediate}) {
    Story story;
    CaseEvent sent = story.Sent(kOng, kUls);
    std::get<DocumentSent>(sent.body).priority = priority;
    const PeerReferral referral = story.At(
        kOng, kUls, {sent, story.Note(sent, Delivery::kFailed, "timed_out")});
    EXPECT_EQ(referral.state, priority == Priority::kRoutine
                                  ? ReferralState::kExpired
                                  : ReferralState::kSent);
    EXPECT_EQ(referral.delivery, Delivery::kFailed);
  }
}

// ---- grants

class CaseGrantsTest : public CaseStateTest {
 protected:
  Grant Issue(std::optional<GrantId> supersedes = std::nullopt) {
    GrantContext context = MakeContext(story_.case_id);
    context.supersedes = supersedes;
    return VALUE_OF(IssueGrant(SimpleConsent(), context, MakeCharter(), key_));
  }
  GrantStatus StatusOf(const CaseState& state, const Grant& grant) {
    return state.authority.grants.at({grant.issuer, grant.id}).status;
  }
  CaseEvent Recorded(const Grant& grant) {
    return story_.Event(kOng, kOng, Granted{grant, {}});
  }

  const SigningKey key_ = SigningKey::Generate();
};

TEST_F(CaseGrantsTest, ASuccessorTakesTheEarlierOnesPlaceInEitherOrder) {
  const Grant first = Issue();
  const Grant second = Issue(first.id);
  for (const auto& events : {std::vector{Recorded(first), Recorded(second)},
                             std::vector{Recorded(second), Recorded(first)}}) {
    const CaseState state = story_.FoldAt(kOng, events);
    EXPECT_EQ(StatusOf(state, first), GrantStatus::kSuperseded);
    EXPECT_EQ(StatusOf(state, second), GrantStatus::kActive);
  }
}

TEST_F(CaseGrantsTest, ARevocationReachesBackOverAllItSupersedes) {
  const Grant first = Issue();
  const Grant second = Issue(first.id);
  const Grant third = Issue(second.id);
  const std::vector<CaseEvent> grants = {Recorded(third), Recorded(first),
                                         Recorded(second)};
  std::vector<CaseEvent> events = grants;
  events.push_back(
      story_.Event(kOng, kOng, Revoked{third.digest, "subject", {}}));
  const CaseState all = story_.FoldAt(kOng, events);
  for (const Grant& grant : {first, second, third})
    EXPECT_EQ(StatusOf(all, grant), GrantStatus::kRevoked);
  EXPECT_EQ(*all.Revocation(third), "subject");

  events = grants;
  events.push_back(
      story_.Event(kOng, kOng, Revoked{first.digest, "subject", {}}));
  const CaseState early = story_.FoldAt(kOng, events);
  EXPECT_EQ(StatusOf(early, first), GrantStatus::kRevoked);
  EXPECT_EQ(StatusOf(early, second), GrantStatus::kSuperseded);
  EXPECT_EQ(StatusOf(early, third), GrantStatus::kActive);
}

TEST_F(CaseGrantsTest, ARevocationThatOvertookItsGrantStillHolds) {
  const Grant grant = Issue();
  const CaseEvent revoked =
      story_.Event(kOng, kUls, Revoked{grant.digest, "", {}});
  CaseEvent sent = story_.Sent(kOng, kUls);
  std::get<DocumentSent>(sent.body).grants = {grant};
  const CaseState state = story_.FoldAt(kUls, {revoked, sent});
  EXPECT_EQ(StatusOf(state, grant), GrantStatus::kRevoked);
}

TEST_F(CaseGrantsTest, NobodyElseRevokesOrSupersedes) {
  const Grant grant = Issue();
  GrantContext context = MakeContext(story_.case_id);
  context.issuer = kGnr;
  context.supersedes = grant.id;
  const Grant foreign =
      VALUE_OF(IssueGrant(SimpleConsent(), context, MakeCharter(), key_));
  const CaseState state = story_.FoldAt(
      kUls, {story_.Event(kOng, kUls, Granted{grant, {}}),
             story_.Event(kGnr, kUls, Granted{foreign, {}}),
             story_.Event(kGnr, kUls, Revoked{grant.digest, "", {}})});
  EXPECT_EQ(StatusOf(state, grant), GrantStatus::kActive);
}

TEST_F(CaseGrantsTest, AttackARevocationByAnotherDoesNotStandBeforeTheIssuers) {
  const Grant grant = Issue();
  for (const bool known : {true, false}) {
    std::vector<CaseEvent> events = {
        story_.Event(kGnr, kUls, Revoked{grant.digest, "gnr", {}}),
        story_.Event(kOng, kUls, Revoked{grant.digest, "subject", {}})};
    events.insert(known ? events.begin() : events.end(),
                  story_.Event(kOng, kUls, Granted{grant, {}}));
    const CaseState state = story_.FoldAt(kUls, events);
    EXPECT_EQ(StatusOf(state, grant), GrantStatus::kRevoked);
    ASSERT_NE(state.Revocation(grant), nullptr);
    EXPECT_EQ(*state.Revocation(grant), "subject");
  }
}

TEST_F(CaseGrantsTest, MoreOfAGrantJoinsWhatWasDisclosedBefore) {
  ConsentForm form = SimpleConsent();
  form.permits.push_back(form.permits[0]);
  const Grant whole = VALUE_OF(
      IssueGrant(form, MakeContext(story_.case_id), MakeCharter(), key_));
  const auto part = [&](size_t i) {
    return VALUE_OF(LoadGrant(whole.jwt, {whole.disclosures()[i]}));
  };
  const CaseState state =
      story_.FoldAt(kUls, {story_.Event(kOng, kUls, Granted{part(0), {}}),
                           story_.Event(kOng, kUls, Granted{part(1), {}}),
                           story_.Event(kOng, kUls, Granted{part(1), {}})});
  EXPECT_THAT(
      state.authority.grants.at({whole.issuer, whole.id}).grant.permits(),
      SizeIs(2));
}

TEST_F(CaseGrantsTest, ExclusionsOutliveTheirGrant) {
  ConsentForm form = SimpleConsent();
  form.exclusions = {{kCpcj, std::nullopt, std::nullopt, "other"}};
  const Grant grant = VALUE_OF(
      IssueGrant(form, MakeContext(story_.case_id), MakeCharter(), key_));
  const CaseState state = story_.FoldAt(
      kOng, {Recorded(grant),
             story_.Event(kOng, kOng, Revoked{grant.digest, "", {}})});
  ASSERT_THAT(state.authority.exclusions, SizeIs(1));
  EXPECT_EQ(state.authority.exclusions[0].exclusion.member, kCpcj);
}

TEST_F(CaseGrantsTest, AnErasureIsPendingUntilItsAnswer) {
  const Grant grant = Issue();
  std::vector<CaseEvent> events = {
      Recorded(grant),
      story_.Sent(kOng, kUls, EventKind::kReferral, Fill(1),
                  {kRisk, kNarrative}),
      story_.Event(kOng, kUls, Revoked{grant.digest, "subject", {kRisk}})};
  CaseState state = story_.FoldAt(kOng, events);
  ASSERT_THAT(state.erasures, SizeIs(1));
  EXPECT_EQ(state.erasures[0].answer, std::nullopt);
  EXPECT_EQ(state.erasures[0].member, kUls);
  events.push_back(story_.Event(
      kUls, kOng, Erased{grant.digest, ErasureAnswer::kDeleted, {kRisk}, ""}));
  state = story_.FoldAt(kOng, events);
  EXPECT_EQ(state.erasures[0].answer, ErasureAnswer::kDeleted);
  EXPECT_TRUE(story_.At(kOng, kUls, events).shared.at(kRisk).erased);
  EXPECT_FALSE(story_.At(kOng, kUls, events).shared.at(kNarrative).erased);
  // The same at the recipient, by its own event.
  EXPECT_TRUE(story_.At(kUls, kOng, events).shared.at(kRisk).erased);
}

TEST_F(CaseGrantsTest, AnErasureThatNobodyAskedForIsNoAnswer) {
  const Grant grant = Issue();
  const Erased erased{grant.digest, ErasureAnswer::kDeleted, {kRisk}, ""};
  std::vector<CaseEvent> events = {Recorded(grant), story_.Sent(kOng, kUls),
                                   story_.Event(kUls, kOng, erased)};
  EXPECT_FALSE(story_.At(kOng, kUls, events).shared.at(kRisk).erased);
  events.push_back(
      story_.Event(kOng, kUls, Revoked{grant.digest, "subject", {kRisk}}));
  CaseState state = story_.FoldAt(kOng, events);
  ASSERT_THAT(state.erasures, SizeIs(1));
  EXPECT_EQ(state.erasures[0].answer, std::nullopt);
  events.push_back(story_.Event(kUls, kOng, erased));
  events.push_back(story_.Event(
      kUls, kOng, Erased{grant.digest, ErasureAnswer::kKept, {kRisk}, "x"}));
  state = story_.FoldAt(kOng, events);
  EXPECT_EQ(state.erasures[0].answer, ErasureAnswer::kDeleted);
}

TEST_F(CaseGrantsTest, AnErasureTouchesOnlyWhatItsIssuerShared) {
  const Grant grant = Issue();
  Story other;
  CaseEvent from_gnr = other.Sent(kGnr, kUls);
  from_gnr.case_id = story_.case_id;
  const CaseState state = story_.FoldAt(
      kUls, {story_.Sent(kOng, kUls), from_gnr,
             story_.Event(
                 kUls, kOng,
                 Erased{grant.digest, ErasureAnswer::kDeleted, {kRisk}, ""})});
  EXPECT_TRUE(state.Find(story_.referral_id, kOng)->shared.at(kRisk).erased);
  EXPECT_FALSE(state.Find(other.referral_id, kGnr)->shared.at(kRisk).erased);
}

TEST_F(CaseGrantsTest, WhatIsKeptIsNotErased) {
  const Grant grant = Issue();
  const std::vector<CaseEvent> events = {
      story_.Sent(kOng, kUls),
      story_.Event(kOng, kUls, Revoked{grant.digest, "", {kRisk}}),
      story_.Event(
          kUls, kOng,
          Erased{grant.digest, ErasureAnswer::kKept, {kRisk}, "A6-1-c"})};
  const CaseState state = story_.FoldAt(kOng, events);
  EXPECT_EQ(state.erasures[0].answer, ErasureAnswer::kKept);
  EXPECT_EQ(state.erasures[0].legal_basis, "A6-1-c");
  EXPECT_FALSE(story_.At(kOng, kUls, events).shared.at(kRisk).erased);
}

TEST_F(CaseGrantsTest, WhatIsDisclosedAgainAfterErasureIsThere) {
  const Grant grant = Issue();
  const std::vector<CaseEvent> events = {
      story_.Sent(kOng, kUls),
      story_.Event(kUls, kOng,
                   Erased{grant.digest, ErasureAnswer::kDeleted, {kRisk}, ""}),
      story_.Sent(kOng, kUls, EventKind::kDisclosed)};
  EXPECT_FALSE(story_.At(kUls, kOng, events).shared.at(kRisk).erased);
}

// ---- storage

TEST_F(CaseGrantsTest, EveryEventIsStoredAndReadBackTheSame) {
  const Grant grant = Issue();
  CaseEvent sent = story_.Sent(kOng, kUls);
  std::get<DocumentSent>(sent.body).grants = {grant};
  std::get<DocumentSent>(sent.body).prev = Fill(8);
  const CaseEvent events[] = {
      sent,
      story_.Event(kOng, kUls, Granted{grant, {kRisk}}),
      story_.Event(kOng, kUls, Revoked{grant.digest, "subject", {kRisk}}),
      story_.Answer(kUls, kOng, EventKind::kDeclined, "no_capacity"),
      story_.Event(
          kUls, kOng,
          Erased{grant.digest, ErasureAnswer::kKept, {kRisk}, "A6-1-c"}),
      story_.Opened(sent),
      story_.Note(sent, Delivery::kFailed, "timed_out")};
  for (const CaseEvent& event : events) {
    const Json json = EncodeCaseEvent(event);
    const CaseEvent read =
        VALUE_OF(DecodeCaseEvent(VALUE_OF(ParseJson(DumpJson(json)))));
    EXPECT_EQ(EncodeCaseEvent(read), json);
    EXPECT_EQ(read.body.index(), event.body.index());
    EXPECT_EQ(KindNameOf(read), KindNameOf(event));
  }
  EXPECT_EQ(KindNameOf(events[3]), "declined");
  EXPECT_EQ(KindNameOf(events[6]), "");
}

// ---- authority

class MayAddTest : public CaseGrantsTest {
 protected:
  absl::Status Ask(const MemberId& self, const std::vector<CaseEvent>& known,
                   const CaseEvent& event) {
    return MayAdd(self, story_.FoldAt(self, known), event);
  }
  static auto Denied() { return StatusIs(absl::StatusCode::kPermissionDenied); }
};

TEST_F(MayAddTest, AnyMemberMayOpenACase) {
  EXPECT_OK(Ask(kUls, {}, story_.Sent(kOng, kUls)));
}

// Whoever knows the case's id could be the first to write of it.
TEST_F(MayAddTest, WhoComesFirstKeepsNobodyElseOut) {
  Story squatter;
  CaseEvent first = squatter.Sent(kGnr, kUls);
  first.case_id = story_.case_id;
  GrantContext context = MakeContext(story_.case_id);
  context.issuer = kGnr;
  const Grant grant = Issue();
  context.id = grant.id;
  std::get<DocumentSent>(first.body).grants = {
      VALUE_OF(IssueGrant(SimpleConsent(), context, MakeCharter(), key_))};
  CaseEvent sent = story_.Sent(kOng, kUls);
  std::get<DocumentSent>(sent.body).grants = {grant};
  EXPECT_OK(Ask(kUls, {first}, sent));
  EXPECT_OK(Ask(kUls, {first}, story_.Event(kOng, kUls, Granted{grant, {}})));
  const CaseState state = story_.FoldAt(kUls, {first, sent});
  EXPECT_EQ(StatusOf(state, grant), GrantStatus::kActive);
  EXPECT_THAT(state.authority.grants, SizeIs(2));
}

TEST_F(MayAddTest, ANonPartyMayAddNothingToWhatIsAnothers) {
  const std::vector<CaseEvent> known = {story_.Sent(kOng, kUls)};
  const Grant grant = Issue();
  for (const CaseEvent& event :
       {story_.Answer(kGnr, kUls, EventKind::kAccepted),
        story_.Answer(kGnr, kUls, EventKind::kCancelRequested),
        story_.Event(kGnr, kUls, Granted{grant, {}}),
        story_.Event(kGnr, kUls, Acknowledged{EventKind::kOpened, Fill(1)})})
    EXPECT_THAT(Ask(kUls, known, event), Denied()) << KindNameOf(event);
}

TEST_F(MayAddTest, AReferralsIdIsItsSendersOwn) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  for (const EventKind kind : {EventKind::kReferral, EventKind::kUpdated}) {
    const CaseEvent same_id = story_.Sent(kGnr, kUls, kind);
    EXPECT_OK(Ask(kUls, {sent}, same_id));
    EXPECT_OK(Ask(kUls, {same_id}, sent));
    // Whose it is here is nobody else's.
    EXPECT_THAT(Ask(kOng, {sent}, story_.Sent(kGnr, kOng, kind)), Denied());
    EXPECT_THAT(Ask(kOng, {sent}, story_.Sent(kUls, kOng, kind)), Denied());
  }
  const CaseState state = story_.FoldAt(kUls, {story_.Sent(kGnr, kUls), sent});
  EXPECT_THAT(state.FindAll({kOng, story_.referral_id}), SizeIs(1));
  EXPECT_EQ(state.FindAll({kGnr, story_.referral_id}).front()->sender, kGnr);
}

TEST_F(MayAddTest, OnlyItsRecipientAnswersAReferral) {
  const std::vector<CaseEvent> known = {story_.Sent(kOng, kUls),
                                        story_.Sent(kOng, kGnr)};
  for (const EventKind kind : {EventKind::kAccepted, EventKind::kDeclined,
                               EventKind::kClosed, EventKind::kCancelled})
    EXPECT_OK(Ask(kOng, known, story_.Answer(kUls, kOng, kind)));
  // The sender does not accept its own referral.
  EXPECT_THAT(
      Ask(kUls, {known[0]}, story_.Answer(kOng, kUls, EventKind::kAccepted)),
      Denied());
  // Nobody answers a referral that was never sent to it.
  CaseEvent other = story_.Answer(kUls, kOng, EventKind::kAccepted);
  std::get<Answered>(other.body).referral_id = ReferralId::New();
  EXPECT_THAT(Ask(kOng, known, other), Denied());
}

TEST_F(MayAddTest, OnlyItsSenderAsksToCancel) {
  const std::vector<CaseEvent> known = {story_.Sent(kOng, kUls)};
  EXPECT_OK(
      Ask(kUls, known, story_.Answer(kOng, kUls, EventKind::kCancelRequested)));
  EXPECT_THAT(
      Ask(kOng, known, story_.Answer(kUls, kOng, EventKind::kCancelRequested)),
      Denied());
}

TEST_F(MayAddTest, OnlyItsSenderUpdatesAndDiscloses) {
  const std::vector<CaseEvent> known = {story_.Sent(kOng, kUls)};
  for (const EventKind kind : {EventKind::kUpdated, EventKind::kDisclosed}) {
    EXPECT_OK(Ask(kUls, known, story_.Sent(kOng, kUls, kind, Fill(2))));
    EXPECT_THAT(Ask(kOng, known, story_.Sent(kUls, kOng, kind, Fill(2))),
                Denied());
  }
}

TEST_F(MayAddTest, TwoDocumentsForOneReferralAreAConflict) {
  const std::vector<CaseEvent> known = {story_.Sent(kOng, kUls)};
  EXPECT_OK(Ask(kUls, known, known[0]));  // sealed anew
  EXPECT_THAT(
      Ask(kUls, known, story_.Sent(kOng, kUls, EventKind::kReferral, Fill(2))),
      StatusIs(absl::StatusCode::kAlreadyExists));
  CaseEvent same_event = known[0];
  std::get<DocumentSent>(same_event.body).document = Fill(2);
  EXPECT_THAT(Ask(kUls, known, same_event),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(MayAddTest, AReferralThatItsUpdateOvertookIsTaken) {
  const CaseEvent sent = story_.Sent(kOng, kUls);
  const CaseEvent update =
      story_.Sent(kOng, kUls, EventKind::kUpdated, Fill(2));
  EXPECT_OK(Ask(kUls, {}, update));
  EXPECT_OK(Ask(kUls, {update}, sent));
}

TEST_F(MayAddTest, OnlyItsIssuerRevokesAGrant) {
  const Grant grant = Issue();
  const std::vector<CaseEvent> known = {story_.Sent(kOng, kUls),
                                        Recorded(grant)};
  EXPECT_THAT(
      Ask(kOng, known, story_.Event(kUls, kOng, Revoked{grant.digest, "", {}})),
      Denied());
  EXPECT_OK(Ask(kOng, known,
                story_.Event(kOng, kUls, Revoked{grant.digest, "", {}})));
}

TEST_F(MayAddTest, AGrantOfAnotherMemberOrCaseIsRefused) {
  const std::vector<CaseEvent> known = {story_.Sent(kOng, kUls)};
  const Grant grant = Issue();  // by ong
  EXPECT_THAT(Ask(kOng, known, story_.Event(kUls, kOng, Granted{grant, {}})),
              Denied());
  const Grant elsewhere = VALUE_OF(IssueGrant(
      SimpleConsent(), MakeContext(CaseId::New()), MakeCharter(), key_));
  EXPECT_THAT(
      Ask(kUls, known, story_.Event(kOng, kUls, Granted{elsewhere, {}})),
      Denied());
  CaseEvent update = story_.Sent(kOng, kUls, EventKind::kUpdated, Fill(2));
  std::get<DocumentSent>(update.body).grants = {elsewhere};
  EXPECT_THAT(Ask(kUls, known, update), Denied());
}

TEST_F(MayAddTest, ASecondGrantUnderOneIdIsAConflict) {
  const Grant grant = Issue();
  GrantContext context = MakeContext(story_.case_id);
  context.id = grant.id;
  const Grant twin =
      VALUE_OF(IssueGrant(SimpleConsent(), context, MakeCharter(), key_));
  EXPECT_THAT(Ask(kUls, {story_.Event(kOng, kUls, Granted{grant, {}})},
                  story_.Event(kOng, kUls, Granted{twin, {}})),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(MayAddTest, AnErasureIsAnsweredToTheIssuerOfAKnownGrant) {
  const Grant grant = Issue();
  const std::vector<CaseEvent> known = {story_.Sent(kOng, kUls),
                                        Recorded(grant)};
  const Erased erased{grant.digest, ErasureAnswer::kDeleted, {}, ""};
  EXPECT_OK(Ask(kOng, known, story_.Event(kUls, kOng, erased)));
  EXPECT_THAT(Ask(kOng, {known[0]}, story_.Event(kUls, kOng, erased)),
              Denied());
}

TEST_F(MayAddTest, NothingOfAnotherCaseOrBetweenOthers) {
  CaseEvent other = story_.Sent(kOng, kUls);
  other.case_id = CaseId::New();
  EXPECT_THAT(Ask(kUls, {}, other), Denied());
  EXPECT_THAT(Ask(kUls, {}, story_.Sent(kOng, kGnr)), Denied());
}

TEST_F(MayAddTest, AnUnknownCaseIsNotOpenedByAnAnswer) {
  EXPECT_THAT(Ask(kOng, {}, story_.Answer(kUls, kOng, EventKind::kAccepted)),
              Denied());
  EXPECT_THAT(Ask(kOng, {}, story_.Opened(story_.Sent(kOng, kUls))), Denied());
}

TEST_F(MayAddTest, ALateAnswerIsTakenThoughItChangesNothing) {
  const std::vector<CaseEvent> known = {
      story_.Sent(kOng, kUls),
      story_.Answer(kUls, kOng, EventKind::kDeclined, "no_capacity")};
  const CaseEvent late = story_.Answer(kUls, kOng, EventKind::kAccepted);
  EXPECT_OK(Ask(kOng, known, late));
  std::vector<CaseEvent> all = known;
  all.push_back(late);
  EXPECT_EQ(story_.At(kOng, kUls, all).state, ReferralState::kDeclined);
}

}  // namespace
}  // namespace amparo

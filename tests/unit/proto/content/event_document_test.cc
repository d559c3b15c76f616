#include "proto/content/event_document.h"

#include "base/error.h"
#include "gtest/gtest.h"
#include "tests/unit/proto/content/world.h"

namespace amparo {
namespace {

EventDocument Base(EventKind kind) {
  EventDocument event{.net = kNet,
                      .issuer = kUls,
                      .at = kNoon,
                      .event_id = EventId::New(),
                      .kind = kind};
  if (!IsLinkEvent(kind)) event.case_id = CaseId::New();
  return event;
}

// A good document of each kind.
std::vector<EventDocument> OneOfEach() {
  std::vector<EventDocument> events;
  for (const EventKind kind :
       {EventKind::kAccepted, EventKind::kDeclined, EventKind::kClosed,
        EventKind::kCancelRequested, EventKind::kCancelled}) {
    EventDocument event = Base(kind);
    event.referral_id = ReferralId::New();
    if (kind == EventKind::kDeclined) event.code = "no_capacity";
    if (kind == EventKind::kClosed) event.code = "goals_met";
    events.push_back(event);
  }
  EventDocument erased = Base(EventKind::kErased);
  erased.grant = Fill(1);
  erased.answer = ErasureAnswer::kDeleted;
  erased.slots = {{Section::kRisk}, {Section::kRisk, true}};
  events.push_back(erased);
  erased.answer = ErasureAnswer::kKept;
  erased.legal_basis = "A6-1-c";
  events.push_back(erased);
  for (const EventKind kind : {EventKind::kResend, EventKind::kSkip}) {
    EventDocument event = Base(kind);
    event.link_kid = Fill(2);
    event.first = 3;
    event.last = 5;
    events.push_back(event);
  }
  events.push_back(Base(EventKind::kHeartbeat));
  return events;
}

TEST(EventDocuments, AreReadBackAsSigned) {
  const SigningKey key = SigningKey::Generate();
  for (const EventDocument& event : OneOfEach()) {
    const std::string token = VALUE_OF(SignEvent(event, key));
    EXPECT_EQ(VALUE_OF(VerifyEvent(token, Only(key))), event)
        << NameOf(event.kind);
    EXPECT_THAT(VerifyEvent(token, Only(SigningKey::Generate())),
                StatusIs(absl::StatusCode::kPermissionDenied));
  }
}

TEST(EventDocuments, AreNotSignedWithAFieldOfAnotherKind) {
  const SigningKey key = SigningKey::Generate();
  for (EventDocument event : OneOfEach()) {
    if (event.kind != EventKind::kErased) {
      event.grant = Fill(1);
      EXPECT_FALSE(SignEvent(event, key).ok()) << NameOf(event.kind);
    } else {
      event.referral_id = ReferralId::New();
      EXPECT_FALSE(SignEvent(event, key).ok());
    }
  }
}

TEST(EventDocuments, NeedTheirFields) {
  const SigningKey key = SigningKey::Generate();
  EXPECT_FALSE(SignEvent(Base(EventKind::kAccepted), key).ok());
  EventDocument event = Base(EventKind::kDeclined);
  event.referral_id = ReferralId::New();
  EXPECT_FALSE(SignEvent(event, key).ok());
  event.code = "goals_met";  // an outcome is no reason
  EXPECT_FALSE(SignEvent(event, key).ok());
  event = Base(EventKind::kHeartbeat);
  event.case_id = CaseId::New();
  EXPECT_FALSE(SignEvent(event, key).ok());
  event = Base(EventKind::kCancelled);
  event.case_id = std::nullopt;
  event.referral_id = ReferralId::New();
  EXPECT_FALSE(SignEvent(event, key).ok());
}

TEST(EventDocuments, KeepingNeedsALegalBasisAndDeletingHasNone) {
  const SigningKey key = SigningKey::Generate();
  EventDocument event = Base(EventKind::kErased);
  event.grant = Fill(1);
  event.answer = ErasureAnswer::kKept;
  EXPECT_FALSE(SignEvent(event, key).ok());
  event.answer = ErasureAnswer::kDeleted;
  event.legal_basis = "A6-1-c";
  EXPECT_FALSE(SignEvent(event, key).ok());
}

TEST(EventDocuments, OfKindsWithDocumentsOfTheirOwnAreRefused) {
  const SigningKey key = SigningKey::Generate();
  for (const EventKind kind :
       {EventKind::kReferral, EventKind::kUpdated, EventKind::kDisclosed,
        EventKind::kGranted, EventKind::kRevoked, EventKind::kOpened,
        EventKind::kComplaint})
    EXPECT_FALSE(SignEvent(Base(kind), key).ok()) << NameOf(kind);
}

TEST(EventDocuments, WithAnUnknownClaimAreRefused) {
  const SigningKey key = SigningKey::Generate();
  for (const EventDocument& event : OneOfEach()) {
    Json claims =
        VALUE_OF(PeekJwsPayload(VALUE_OF(SignEvent(event, key)), 1 << 12));
    claims["note"] = "x";
    EXPECT_THAT(VerifyEvent(SignJws(key, kEventTyp, claims), Only(key)),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(EventDocuments, LinksRunForward) {
  EventDocument event = Base(EventKind::kSkip);
  event.link_kid = Fill(2);
  event.first = 5;
  event.last = 4;
  EXPECT_FALSE(SignEvent(event, SigningKey::Generate()).ok());
  event.first = 0;
  EXPECT_FALSE(SignEvent(event, SigningKey::Generate()).ok());
}

}  // namespace
}  // namespace amparo

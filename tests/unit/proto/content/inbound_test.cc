#include "proto/content/inbound.h"

#include <functional>
#include <string>
#include <utility>

#include "base/error.h"
#include "crypto/random.h"
#include "gtest/gtest.h"
#include "proto/content/revocation.h"
#include "proto/envelope/receipt.h"
#include "tests/unit/proto/content/story.h"

namespace amparo {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Slot kIdentity{Section::kIdentity};
constexpr Slot kRiskSummary{Section::kRisk, true};

// ong refers to uls: consent for identity and risk, purpose support.
class InboundTest : public testing::Test {
 protected:
  InboundTest() {
    GrantContext context = MakeContext(case_id_);
    grant_ = std::make_unique<Grant>(
        VALUE_OF(IssueGrant(SimpleConsent(), context, charter_, key_)));
    const ReferralForm form = VALUE_OF(ParseReferralForm(kExampleReferralForm));
    referral_ = std::make_unique<IssuedReferral>(VALUE_OF(
        IssueReferral(Claims(), SlotValues(form.sections, kNoon), key_)));
  }

  ReferralClaims Claims() {
    return {.net = kNet,
            .issuer = kOng,
            .issued_at = kNoon,
            .event_id = EventId::New(),
            .case_id = case_id_,
            .referral_id = ReferralId::New(),
            .priority = Priority::kUrgent,
            .prev = {}};
  }
  Payload Base(EventKind kind, const EventId& event_id) {
    Payload payload{.case_id = case_id_, .event_id = event_id, .kind = kind};
    payload.salt = RandomArray<32>();
    payload.salt2 = RandomArray<32>();
    return payload;
  }
  std::string GrantText(const Grant& grant) {
    return SerializeSdJwt(grant.jwt,
                          DisclosuresFor(grant, kUls, MemberKind::kHealth));
  }
  // What an honest sender sends.
  Payload Referral(std::vector<Slot> slots = {kIdentity, kRiskSummary}) {
    Payload payload = Base(EventKind::kReferral, referral_->claims.event_id);
    payload.purpose = "support";
    payload.document = referral_->jwt;
    for (const Slot slot : slots)
      payload.disclosures.push_back(referral_->disclosures.at(slot));
    payload.grants = {GrantText(*grant_)};
    return payload;
  }
  Payload Plain(EventDocument event, const MemberId& issuer) {
    event.issuer = issuer;
    Payload payload = Base(event.kind, event.event_id);
    if (IsLinkEvent(event.kind)) payload.case_id = std::nullopt;
    payload.document = VALUE_OF(SignEvent(event, key_));
    return payload;
  }
  EventDocument Accepted() {
    return {.net = kNet,
            .issuer = kUls,
            .at = kNoon,
            .event_id = EventId::New(),
            .kind = EventKind::kAccepted,
            .case_id = case_id_,
            .referral_id = referral_->claims.referral_id};
  }
  Carrier From(const MemberId& sender, const MemberId& recipient,
               const Payload& payload) {
    return {.net = kNet,
            .sender = sender,
            .recipient = recipient,
            .anchor = AnchorOf(payload),
            .envelope = Fill(20),
            .leaf = LeafIndex(5),
            .leaf_time = kNoon};
  }
  absl::StatusOr<InboundEvent> Verify(const Payload& payload,
                                      const MemberId& sender = kOng,
                                      const MemberId& recipient = kUls) {
    return VerifyInbound(payload, From(sender, recipient, payload), Only(key_));
  }
  absl::Status Cover(InboundEvent& inbound, absl::Time now = kNoon) {
    return RequireCovered(charter_, Fold(kUls, case_id_, {}), inbound, now);
  }
  // Verified and covered, or the first refusal.
  absl::Status Take(const Payload& payload, absl::Time now = kNoon) {
    auto inbound = Verify(payload);
    return inbound.ok() ? Cover(*inbound, now) : inbound.status();
  }
  static auto Refused() {
    return StatusIs(absl::StatusCode::kPermissionDenied);
  }

  Charter charter_ = MakeCharter();
  const CaseId case_id_ = CaseId::New();
  const SigningKey key_ = SigningKey::Generate();
  std::unique_ptr<Grant> grant_;
  std::unique_ptr<IssuedReferral> referral_;
};

TEST_F(InboundTest, AnHonestReferralIsTaken) {
  InboundEvent inbound = VALUE_OF(Verify(Referral()));
  ASSERT_TRUE(inbound.event.has_value());
  EXPECT_EQ(inbound.event->from, kOng);
  EXPECT_EQ(inbound.event->leaf, LeafIndex(5));
  EXPECT_OK(Cover(inbound));
  const auto& sent = std::get<DocumentSent>(inbound.event->body);
  EXPECT_EQ(sent.document, referral_->digest);
  EXPECT_THAT(sent.slots, SizeIs(2));
  for (const auto& [slot, authority] : sent.slots)
    EXPECT_EQ(authority, grant_->id.text());
  EXPECT_EQ(inbound.document->values.at(kIdentity)["given_name"], "Marta");
}

// ---- the sender is dishonest

TEST_F(InboundTest, ASectionThatNoGrantCoversIsRefused) {
  for (const Slot slot : {Slot{Section::kNarrative}, Slot{Section::kHealth},
                          Slot{Section::kSafeContact}})
    EXPECT_THAT(Take(Referral({kIdentity, slot})), Refused()) << NameOf(slot);
  // The whole where the charter gives a summary.
  EXPECT_EQ(ErrorCodeOf(Take(Referral({{Section::kRisk}}))), "matrix");
}

TEST_F(InboundTest, WithoutItsGrantNothingIsShown) {
  Payload payload = Referral();
  payload.grants.clear();
  EXPECT_EQ(ErrorCodeOf(Take(payload)), "no_consent");
  payload.grants = {SerializeSdJwt(grant_->jwt, {})};  // with no provision
  EXPECT_EQ(ErrorCodeOf(Take(payload)), "no_consent");
}

TEST_F(InboundTest, AGrantForAnotherPurposeCoversNothing) {
  Payload payload = Referral();
  payload.purpose = "health_care";
  EXPECT_EQ(ErrorCodeOf(Take(payload)), "no_consent");
}

TEST_F(InboundTest, AnExpiredOrFutureGrantCoversNothing) {
  EXPECT_EQ(ErrorCodeOf(Take(Referral(), grant_->until)), "consent_expired");
  ConsentForm form = SimpleConsent();
  form.permits[0].from = kNoon + absl::Hours(1);
  Payload payload = Referral();
  payload.grants = {GrantText(
      VALUE_OF(IssueGrant(form, MakeContext(case_id_), charter_, key_)))};
  EXPECT_EQ(ErrorCodeOf(Take(payload)), "no_consent");
  EXPECT_OK(Take(payload, kNoon + absl::Hours(1)));
}

TEST_F(InboundTest, AGrantRevokedBeforeCoversNothing) {
  InboundEvent inbound = VALUE_OF(Verify(Referral()));
  Story story;
  CaseEvent revoked = story.Event(kOng, kUls, Revoked{grant_->digest, "", {}});
  revoked.case_id = case_id_;
  const CaseState state = Fold(kUls, case_id_, {revoked});
  EXPECT_EQ(ErrorCodeOf(RequireCovered(charter_, state, inbound, kNoon)),
            "consent_revoked");
}

TEST_F(InboundTest, AGrantOfAnotherCaseIsRefused) {
  const Grant other = VALUE_OF(
      IssueGrant(SimpleConsent(), MakeContext(CaseId::New()), charter_, key_));
  Payload payload = Referral();
  payload.grants = {GrantText(other)};
  EXPECT_THAT(Take(payload), Refused());
}

TEST_F(InboundTest, AGrantOfAnotherMemberOrNetworkIsRefused) {
  for (const bool other_net : {false, true}) {
    GrantContext context = MakeContext(case_id_);
    if (other_net)
      context.net = Fill(99);
    else
      context.issuer = kGnr;
    const Grant other =
        VALUE_OF(IssueGrant(SimpleConsent(), context, charter_, key_));
    Payload payload = Referral();
    payload.grants = {GrantText(other)};
    EXPECT_THAT(Take(payload), Refused());
  }
}

TEST_F(InboundTest, AGrantSignedByAStrangerIsRefused) {
  const Grant forged =
      VALUE_OF(IssueGrant(SimpleConsent(), MakeContext(case_id_), charter_,
                          SigningKey::Generate()));
  Payload payload = Referral();
  payload.grants = {GrantText(forged)};
  EXPECT_THAT(Take(payload), Refused());
}

TEST_F(InboundTest, AGrantWiderThanTheCharterDoesNotHelp) {
  ConsentForm form = SimpleConsent();
  form.permits[0].sections = {Section::kLegal, Section::kHousing};
  const Grant wide =
      VALUE_OF(IssueGrant(form, MakeContext(case_id_), charter_, key_));
  for (const Section section : {Section::kLegal, Section::kHousing}) {
    Payload payload = Referral({{section}});
    payload.grants = {GrantText(wide)};
    EXPECT_EQ(ErrorCodeOf(Take(payload)), "matrix");
  }
}

TEST_F(InboundTest, ABasisForAnotherMemberIsRefused) {
  const ReasonForm form = VALUE_OF(ParseReasonForm(kExampleReasonForm));
  WithoutConsent record{.net = kNet,
                        .issuer = kOng,
                        .recipient = kUls,
                        .at = kNoon,
                        .expires = kNoon + kWithoutConsentLife,
                        .case_id = case_id_,
                        .id = WithoutConsentId::New(),
                        .reason_code = "imminent_danger_life",
                        .sections = {Section::kRisk},
                        .risk_level = "extreme",
                        .purpose = "safety",
                        .legal_basis = {"A6-1-d"},
                        .agreement_sought = "unsafe",
                        .informed_answer = "later",
                        .informed_date = {},
                        .second_approver = false,
                        .texts = {},
                        .token = {}};
  Payload payload = Referral({{Section::kRisk}});
  payload.purpose = "safety";
  payload.grants = {SignWithoutConsent(record, key_).token};
  EXPECT_OK(Take(payload));
  EXPECT_THAT(Take(payload, record.expires), Refused());
  record.recipient = kGnr;
  payload.grants = {SignWithoutConsent(record, key_).token};
  EXPECT_THAT(Verify(payload), Refused());
}

TEST_F(InboundTest, ADisclosureOfAnotherDocumentIsRefused) {
  const IssuedReferral other = VALUE_OF(IssueReferral(
      Claims(), {{kIdentity, {{"given_name", "Another"}}}}, key_));
  Payload payload = Referral({kRiskSummary});
  payload.disclosures.push_back(other.disclosures.at(kIdentity));
  EXPECT_THAT(Take(payload), Refused());
}

TEST_F(InboundTest, ADocumentWithoutAnySectionIsRefused) {
  EXPECT_THAT(Take(Referral({})), Refused());
}

TEST_F(InboundTest, AnAttachmentBelongsToASectionThatListsIt) {
  Json health = {{"injuries", "none"}};
  ASSERT_OK(AddAttachment(
      Section::kHealth, {"scan.pdf", "application/pdf", 9, Fill(4).ToString()},
      health));
  const IssuedReferral issued = VALUE_OF(IssueReferral(
      Claims(), {{{Section::kHealth}, health}, {kIdentity, Json::object()}},
      key_));
  const auto with = [&](Section section, const Digest& hash, Slot disclosed) {
    Payload payload = Base(EventKind::kReferral, issued.claims.event_id);
    payload.purpose = "support";
    payload.document = issued.jwt;
    payload.disclosures = {issued.disclosures.at(disclosed)};
    payload.attachments.push_back(
        {section, hash, Fill(5), SecretKeyBytes::Random(32)});
    return Verify(payload).status();
  };
  EXPECT_OK(with(Section::kHealth, Fill(4), {Section::kHealth}));
  EXPECT_THAT(with(Section::kHealth, Fill(6), {Section::kHealth}), Refused());
  EXPECT_THAT(with(Section::kHealth, Fill(4), kIdentity), Refused());
}

// ---- the parts do not fit each other

TEST_F(InboundTest, TheHeaderBindsDocumentDisclosuresAndGrants) {
  const Payload honest = Referral();
  const Carrier carrier = From(kOng, kUls, honest);
  const auto with = [&](const std::function<void(Payload&)>& change) {
    Payload payload =
        VALUE_OF(DecodePayload(VALUE_OF(EncodePayload(honest)).Expose()));
    change(payload);
    return VerifyInbound(payload, carrier, Only(key_)).status();
  };
  EXPECT_OK(with([](Payload&) {}));
  EXPECT_THAT(with([](Payload& p) { p.disclosures.pop_back(); }), Refused());
  EXPECT_THAT(with([](Payload& p) { p.grants.clear(); }), Refused());
  EXPECT_THAT(with([](Payload& p) { p.salt[0] ^= 1; }), Refused());
}

TEST_F(InboundTest, EventCaseAndNetworkMustBeTheDocuments) {
  Payload payload = Referral();
  payload.event_id = EventId::New();
  EXPECT_THAT(Verify(payload), Refused());
  payload = Referral();
  payload.case_id = CaseId::New();
  EXPECT_THAT(Verify(payload), Refused());
  payload = Referral();
  Carrier carrier = From(kOng, kUls, payload);
  carrier.net = Fill(98);
  EXPECT_THAT(VerifyInbound(payload, carrier, Only(key_)), Refused());
}

TEST_F(InboundTest, AnotherMembersDocumentIsNotForwarded) {
  EXPECT_THAT(Verify(Referral(), kGnr), Refused());
}

TEST_F(InboundTest, EveryOtherKindForADocumentIsRefused) {
  const EventKind kinds[] = {
      EventKind::kReferral, EventKind::kUpdated,         EventKind::kGranted,
      EventKind::kRevoked,  EventKind::kAccepted,        EventKind::kDeclined,
      EventKind::kClosed,   EventKind::kCancelRequested, EventKind::kCancelled,
      EventKind::kErased,   EventKind::kResend,          EventKind::kSkip,
      EventKind::kOpened,   EventKind::kComplaint,       EventKind::kHeartbeat};
  const Payload accepted = Plain(Accepted(), kUls);
  for (const EventKind kind : kinds) {
    Payload payload = Referral();
    payload.kind = kind;
    EXPECT_EQ(Verify(payload).ok(), kind == EventKind::kReferral)
        << NameOf(kind);
    payload = Base(kind, accepted.event_id);
    payload.document = accepted.document;
    EXPECT_EQ(Verify(payload, kUls, kOng).ok(), kind == EventKind::kAccepted)
        << NameOf(kind);
  }
}

TEST_F(InboundTest, ADisclosureHasAnEventOfItsOwn) {
  Payload payload = Referral();
  payload.kind = EventKind::kDisclosed;
  EXPECT_THAT(Verify(payload), Refused());
  payload.event_id = EventId::New();
  EXPECT_OK(Verify(payload));
}

TEST_F(InboundTest, GrantsAndDisclosuresTravelWithDocumentsOnly) {
  Payload payload = Plain(Accepted(), kUls);
  payload.grants = {GrantText(*grant_)};
  EXPECT_THAT(Verify(payload, kUls, kOng), Refused());
  payload = Plain(Accepted(), kUls);
  payload.disclosures = {"x"};
  EXPECT_THAT(Verify(payload, kUls, kOng), Refused());
}

TEST_F(InboundTest, AStrangersSignatureIsRefused) {
  const Payload payload = Referral();
  EXPECT_THAT(VerifyInbound(payload, From(kOng, kUls, payload),
                            Only(SigningKey::Generate())),
              Refused());
  // A key that the lookup does not give to this sender.
  const KeyLookup nobody = [](const Digest&) -> absl::StatusOr<VerifyKey> {
    return absl::PermissionDeniedError("not this member's key");
  };
  EXPECT_THAT(VerifyInbound(payload, From(kOng, kUls, payload), nobody),
              Refused());
}

// ---- the other kinds

TEST_F(InboundTest, AGrantComesWithTheRecipientsPartAlone) {
  Payload payload = Base(EventKind::kGranted, grant_->event_id);
  payload.document = grant_->jwt;
  payload.disclosures = DisclosuresFor(*grant_, kUls, MemberKind::kHealth);
  const InboundEvent inbound = VALUE_OF(Verify(payload));
  const auto& granted = std::get<Granted>(inbound.event->body);
  EXPECT_EQ(granted.grant.id, grant_->id);
  EXPECT_THAT(granted.grant.denials(), IsEmpty());
}

TEST_F(InboundTest, ARevocationNamesItsGrant) {
  const Revocation revocation{kNet,           kOng,     kNoon,
                              EventId::New(), case_id_, grant_->digest};
  Payload payload = Base(EventKind::kRevoked, revocation.event_id);
  payload.document = SignRevocation(revocation, key_);
  const InboundEvent inbound = VALUE_OF(Verify(payload));
  EXPECT_EQ(std::get<Revoked>(inbound.event->body).grant, grant_->digest);
  EXPECT_THAT(Verify(payload, kGnr), Refused());
}

TEST_F(InboundTest, AReceiptIsForItsAudienceAndOfItsKind) {
  Receipt receipt{.net = kNet,
                  .issuer = kUls,
                  .audience = kOng,
                  .at = kNoon,
                  .jti = EventId::New(),
                  .kind = ReceiptKind::kOpened,
                  .digest = Fill(20),
                  .leaf = LeafIndex(5)};
  Payload payload = Base(EventKind::kOpened, receipt.jti);
  payload.document = SignReceipt(receipt, key_);
  const InboundEvent inbound = VALUE_OF(Verify(payload, kUls, kOng));
  EXPECT_EQ(std::get<Acknowledged>(inbound.event->body).envelope, Fill(20));
  EXPECT_THAT(Verify(payload, kUls, kGnr), Refused());
  payload.kind = EventKind::kComplaint;
  EXPECT_THAT(Verify(payload, kUls, kOng), Refused());
}

TEST_F(InboundTest, ALinkEventIsOfNoCase) {
  EventDocument heartbeat{.net = kNet,
                          .issuer = kUls,
                          .at = kNoon,
                          .event_id = EventId::New(),
                          .kind = EventKind::kHeartbeat};
  const InboundEvent inbound =
      VALUE_OF(Verify(Plain(heartbeat, kUls), kUls, kOng));
  EXPECT_FALSE(inbound.event.has_value());
  EXPECT_EQ(inbound.link->kind, EventKind::kHeartbeat);
  Payload payload = Plain(heartbeat, kUls);
  payload.case_id = case_id_;
  EXPECT_THAT(Verify(payload, kUls, kOng), Refused());
}

}  // namespace
}  // namespace amparo

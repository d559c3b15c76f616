#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "crypto/jws.h"
#include "crypto/random.h"
#include "crypto/sd_jwt.h"
#include "proto/content/event_document.h"
#include "proto/content/referral_document.h"
#include "proto/content/revocation.h"
#include "proto/envelope/codec.h"
#include "tests/adversary/victims.h"

// A member with good keys that sends what it has no right to. Its envelopes are
// sealed, signed and logged as they should be; what they hold is not.

namespace amparo::agent {
namespace {

class CheatingMember : public Victims {
 protected:
  // A payload as `cheat` would make one, without its document.
  Payload PayloadOf(TestAgent& cheat, EventKind kind,
                    std::optional<CaseId> case_id) {
    const LogWatch::View seen = cheat.log().view();
    return Payload{.case_id = case_id,
                   .event_id = EventId::New(),
                   .kind = kind,
                   .salt = RandomArray<32>(),
                   .salt2 = RandomArray<32>(),
                   .seen_size = seen.size.value(),
                   .seen_root = seen.root};
  }
  // The next link of the cheat's own chain to `to`.
  Link NextLink(TestAgent& cheat, const MemberId& to) {
    const auto head = VALUE_OF(cheat.outbox().HeadOf(to));
    const Digest kid =
        VALUE_OF(cheat.keys().Signer()).verify_key().Thumbprint();
    return {head && head->kid == kid ? head->seq + 1 : 1,
            head ? head->digest : Digest()};
  }
  // Sealed, signed, submitted, and remembered in the cheat's own books.
  Envelope Send(TestAgent& cheat, const std::string& to, const Payload& payload,
                std::optional<Link> link = std::nullopt) {
    const MemberId& recipient = world_.broker().Id(to);
    if (!link) link = NextLink(cheat, recipient);
    Envelope envelope = VALUE_OF(
        cheat.packer().Pack(recipient, payload, *link, world_.clock().Now()));
    VALUE_OF(cheat.port().Submit(envelope));
    Batch rows;
    cheat.outbox().PutUnderWay(
        {Draft{.recipient = recipient, .event_id = payload.event_id}, envelope},
        {envelope.header.sender_kid, link->seq, EnvelopeDigest(envelope)},
        rows);
    cheat.outbox().ClearUnderWay(recipient, rows);
    EXPECT_OK(cheat.kv().Write(rows));
    return envelope;
  }

  EventDocument EventOf(TestAgent& cheat, const Payload& payload) {
    return EventDocument{.net = cheat.peers().Now()->charter.network_id,
                         .issuer = cheat.keys().self(),
                         .at = world_.clock().Now(),
                         .event_id = payload.event_id,
                         .kind = payload.kind,
                         .case_id = payload.case_id};
  }
  std::string Sign(TestAgent& cheat, const EventDocument& event) {
    return VALUE_OF(SignEvent(event, VALUE_OF(cheat.keys().Signer())));
  }

  static std::shared_ptr<const Case> CaseAt(TestAgent& agent,
                                            const std::string& referral) {
    return agent.cases().FindByReferral(
        VALUE_OF(agent.cases().ResolveReferral(referral)));
  }
  // The referral's document with the disclosures that `agent` holds.
  Content ContentAt(TestAgent& agent, const std::string& referral) {
    const auto entry = CaseAt(agent, referral);
    for (const CaseEvent& event : entry->events)
      if (std::holds_alternative<DocumentSent>(event.body))
        return VALUE_OF(agent.cases().ContentOf(entry->state.case_id, event.id,
                                                event.from));
    throw std::runtime_error("no document");
  }
  const Grant& GrantAt(TestAgent& agent, const std::string& referral) {
    const auto entry = CaseAt(agent, referral);
    kept_.push_back(entry);
    return entry->state.authority.grants.begin()->second.grant;
  }
  // How many events `agent` holds of the case.
  static size_t EventsAt(TestAgent& agent, const CaseId& id) {
    const auto entry = agent.cases().Find(id);
    return entry == nullptr ? 0 : entry->events.size();
  }

  // `payload` ends in quarantine at `to`, without a trace in the case.
  void ExpectQuarantined(TestAgent& cheat, const std::string& to,
                         const Payload& payload) {
    TestAgent& victim = world_.agent(to);
    world_.Settle();
    const uint32_t before = victim.intake().quarantined();
    const size_t events =
        payload.case_id ? EventsAt(victim, *payload.case_id) : 0;
    const size_t cases = Cases(victim);
    Send(cheat, to, payload);
    world_.Settle();
    EXPECT_EQ(victim.intake().quarantined(), before + 1);
    EXPECT_EQ(Cases(victim), cases);
    if (payload.case_id) {
      EXPECT_EQ(EventsAt(victim, *payload.case_id), events);
    }
  }

  // ong's referral again, all of it signed by uls, in a case of its choice.
  Payload Squat(const std::string& referral, const CaseId& in) {
    const SigningKey own = VALUE_OF(uls().keys().Signer());
    const Grant& grant = GrantAt(ong(), referral);
    const Content content = ContentAt(ong(), referral);
    Payload payload = PayloadOf(uls(), EventKind::kReferral, in);
    Json consent = VALUE_OF(PeekJwsPayload(grant.jwt, kGrantBytesMax));
    Json claims = VALUE_OF(PeekJwsPayload(content.document, kDocumentBytesMax));
    for (Json* one : {&consent, &claims}) {
      (*one)["iss"] = "uls";
      (*one)["case"] = in.text();
    }
    consent["jti"] = EventId::New().text();
    claims["jti"] = payload.event_id.text();
    payload.purpose = "safety";
    payload.document = SignJws(own, kReferralTyp, claims);
    payload.disclosures = {content.disclosures.at({Section::kRisk})};
    payload.grants = {
        SerializeSdJwt(SignJws(own, kGrantTyp, consent), grant.disclosures())};
    return payload;
  }

  std::vector<std::shared_ptr<const Case>> kept_;
};

TEST_F(CheatingMember, AForwardedDocumentIsRefused) {
  const std::string referral = Refer();
  world_.Settle();
  const Content content = ContentAt(uls(), referral);
  const CaseId id = CaseAt(uls(), referral)->state.case_id;
  const Grant& grant = GrantAt(uls(), referral);
  // The event id of the original, and one of its own.
  for (const EventKind kind : {EventKind::kReferral, EventKind::kDisclosed}) {
    Payload payload = PayloadOf(uls(), kind, id);
    payload.purpose = "safety";
    payload.document = content.document;
    if (kind == EventKind::kReferral)
      for (const CaseEvent& event : CaseAt(uls(), referral)->events)
        if (std::holds_alternative<DocumentSent>(event.body))
          payload.event_id = event.id;
    for (const auto& [slot, disclosure] : content.disclosures)
      payload.disclosures.push_back(disclosure);
    payload.grants = {SerializeSdJwt(grant.jwt, grant.disclosures())};
    ExpectQuarantined(uls(), "gnr", payload);
    ExpectQuarantined(uls(), "mp", payload);
  }
  EXPECT_FALSE(Knows(gnr(), referral));
  EXPECT_FALSE(Knows(mp(), referral));
  ExpectHonestTrafficFlows();
}

TEST_F(CheatingMember, ASectionThatNoGrantCoversIsRefused) {
  const std::string referral = Refer();
  world_.Settle();
  const Content all = ContentAt(ong(), referral);
  const CaseId id = CaseAt(ong(), referral)->state.case_id;
  for (const Section section :
       {Section::kNarrative, Section::kPerpetrator, Section::kLegal}) {
    Payload payload = PayloadOf(ong(), EventKind::kDisclosed, id);
    payload.purpose = "health_care";
    payload.document = all.document;
    payload.disclosures = {all.disclosures.at({section})};
    ExpectQuarantined(ong(), "uls", payload);
    for (const SectionView& view :
         VALUE_OF(uls().referrals().Show(uls().officer(), referral, {}, false))
             .sections)
      EXPECT_NE(view.slot.section, section);
  }
  ExpectHonestTrafficFlows();
}

TEST_F(CheatingMember, ACoveredSectionSentTheSameWayIsTaken) {
  // So that the tests around it fail for what they are about.
  const std::string referral = Refer();
  world_.Settle();
  const Content all = ContentAt(ong(), referral);
  Payload payload = PayloadOf(ong(), EventKind::kDisclosed,
                              CaseAt(ong(), referral)->state.case_id);
  payload.purpose = "health_care";
  payload.document = all.document;
  payload.disclosures = {all.disclosures.at({Section::kHealth})};
  const size_t before = EventsAt(uls(), *payload.case_id);
  Send(ong(), "uls", payload);
  world_.Settle();
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  EXPECT_GT(EventsAt(uls(), *payload.case_id), before);
}

TEST_F(CheatingMember, ADisclosureThatWasNeverSignedIsRefused) {
  const std::string referral = Refer();
  const std::string other = Refer();
  world_.Settle();
  const Content content = ContentAt(ong(), referral);
  const Content another = ContentAt(ong(), other);
  Payload payload = PayloadOf(ong(), EventKind::kDisclosed,
                              CaseAt(ong(), referral)->state.case_id);
  payload.purpose = "health_care";
  payload.document = content.document;
  payload.disclosures = {another.disclosures.at({Section::kHealth})};
  ExpectQuarantined(ong(), "uls", payload);
  ExpectHonestTrafficFlows();
}

TEST_F(CheatingMember, AnEventByANonPartyIsRefused) {
  const std::string referral = Refer();
  world_.Settle();
  const CaseId id = CaseAt(uls(), referral)->state.case_id;
  const ReferralId referral_id =
      VALUE_OF(uls().cases().ResolveReferral(referral)).second;
  for (const EventKind kind :
       {EventKind::kAccepted, EventKind::kCancelRequested}) {
    Payload payload = PayloadOf(mp(), kind, id);
    EventDocument event = EventOf(mp(), payload);
    event.referral_id = referral_id;
    payload.document = Sign(mp(), event);
    ExpectQuarantined(mp(), "uls", payload);
    ExpectQuarantined(mp(), "ong", payload);
  }
  ExpectHonestTrafficFlows();
}

// Who knows a case could write of it to others before its opener does.
TEST_F(CheatingMember, WhoWritesOfACaseFirstKeepsNobodyElseOut) {
  const std::string consent = RecordConsent();
  const std::string known = ReferUnder(consent, {"uls"});
  world_.Settle();
  const std::string id = CaseAt(uls(), known)->state.case_id.text();
  Json form = VALUE_OF(ParseJson(kExampleConsentForm));
  form["case"] = id;
  SendRequest squat;
  squat.form_json = FormFor({"gnr"});
  squat.to = {"gnr"};
  squat.consent =
      VALUE_OF(uls().consents().Record(uls().officer(), DumpJson(form), {}, ""))
          .grant_id.text();
  ASSERT_TRUE(VALUE_OF(uls().referrals().Send(uls().officer(), squat)).allowed);
  world_.Settle();
  const size_t before = EventsAt(gnr(), VALUE_OF(CaseId::Parse(id)));
  ASSERT_GT(before, 0u);

  const std::string referral = ReferUnder(consent, {"gnr"});
  world_.Settle();
  EXPECT_EQ(gnr().intake().quarantined(), 0u);
  EXPECT_EQ(CaseAt(gnr(), referral)->state.case_id.text(), id);
  EXPECT_OK(gnr().referrals().Show(gnr().supervisor(), referral, {}, false));
}

// One event id goes to all recipients: the first of them could use it first.
TEST_F(CheatingMember, AnothersEventIdUsedFirstKeepsNothingOut) {
  ong().port().full = "uls";
  const std::string referral = Refer({"gnr", "uls"});
  world_.Settle();
  const auto known = CaseAt(gnr(), referral);
  ASSERT_FALSE(Knows(uls(), referral));
  Payload squat = PayloadOf(gnr(), EventKind::kRevoked, known->state.case_id);
  squat.event_id = known->events.front().id;
  squat.document =
      SignRevocation({.net = gnr().peers().Now()->charter.network_id,
                      .issuer = world_.broker().Id("gnr"),
                      .at = world_.clock().Now(),
                      .event_id = squat.event_id,
                      .case_id = *squat.case_id,
                      .grant = Sha256("none")},
                     VALUE_OF(gnr().keys().Signer()));
  Send(gnr(), "uls", squat);
  world_.Settle();
  ASSERT_GT(EventsAt(uls(), *squat.case_id), 0u);
  ASSERT_FALSE(Knows(uls(), referral));

  ong().port().full = "";
  world_.clock().Advance(absl::Minutes(10));
  world_.Settle();
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  EXPECT_OK(uls().referrals().Show(uls().officer(), referral, {}, false));
}

TEST_F(CheatingMember, ASecondEventUnderOneIdDoesNotTakeTheFirstOnesPlace) {
  const std::string referral = Refer();
  world_.Settle();
  const Grant& grant = GrantAt(uls(), referral);
  for (const CaseEvent& event : CaseAt(uls(), referral)->events) {
    if (event.from != world_.broker().Id("ong")) continue;
    Payload payload = PayloadOf(ong(), EventKind::kRevoked, grant.case_id);
    payload.event_id = event.id;
    payload.document = SignRevocation({.net = grant.net,
                                       .issuer = grant.issuer,
                                       .at = world_.clock().Now(),
                                       .event_id = payload.event_id,
                                       .case_id = grant.case_id,
                                       .grant = grant.digest},
                                      VALUE_OF(ong().keys().Signer()));
    ExpectQuarantined(ong(), "uls", payload);
  }
  EXPECT_OK(uls().referrals().Show(uls().officer(), referral, {}, false));
}

// uls got the referral, too, and so knows its id. The broker helps: gnr hears
// of it from uls first, in a case of its own or in this one.
TEST_F(CheatingMember, AReferralUnderAnothersIdDoesNotTakeItsPlace) {
  const MemberId& ong_id = world_.broker().Id("ong");
  const MemberId& uls_id = world_.broker().Id("uls");
  for (const bool first : {true, false})
    for (const bool same_case : {true, false}) {
      if (first) ong().port().full = "gnr";
      const std::string referral = Refer({"uls", "gnr"});
      world_.Settle();
      const auto entry = CaseAt(ong(), referral);
      const CaseId honest = entry->state.case_id;
      const Payload squat = Squat(referral, same_case ? honest : CaseId::New());
      Send(uls(), "gnr", squat);
      world_.Settle();
      ong().port().full.clear();
      world_.Settle();
      EXPECT_EQ(gnr().intake().quarantined(), 0u);
      EXPECT_EQ(DeliveryTo("gnr", referral), Delivery::kDelivered);
      const ReferralId id =
          VALUE_OF(ong().cases().ResolveReferral(referral)).second;
      EXPECT_EQ(gnr().cases().FindByReferral({ong_id, id})->state.case_id,
                honest);
      EXPECT_EQ(gnr().cases().FindByReferral({uls_id, id})->state.case_id,
                *squat.case_id);

      // Nobody opens or answers one for the other.
      EXPECT_EQ(ErrorCodeOf(gnr()
                                .referrals()
                                .Show(gnr().supervisor(), referral, {}, false)
                                .status()),
                "ambiguous_id");
      EXPECT_EQ(
          ErrorCodeOf(
              gnr().referrals().Accept(gnr().supervisor(), referral).status()),
          "ambiguous_id");
      const ReferralView shown = VALUE_OF(gnr().referrals().Show(
          gnr().supervisor(), referral + "@ong", {}, false));
      EXPECT_EQ(shown.from, ong_id);
      EXPECT_EQ(shown.case_id, honest);
      EXPECT_EQ(shown.recipients.size(), 1u);
      EXPECT_EQ(VALUE_OF(gnr().referrals().Show(gnr().supervisor(),
                                                referral + "@uls", {}, false))
                    .from,
                uls_id);
      EXPECT_OK(gnr()
                    .referrals()
                    .Accept(gnr().supervisor(), referral + "@ong")
                    .status());
      world_.Settle();
      EXPECT_EQ(CaseAt(ong(), referral)
                    ->state.Find(id, world_.broker().Id("gnr"))
                    ->state,
                ReferralState::kAccepted);
    }
}

// Its sender's own agent takes none under an id that it gave itself.
TEST_F(CheatingMember, AReferralUnderOurOwnIdIsRefused) {
  const std::string referral = Refer();
  world_.Settle();
  for (const bool same_case : {true, false})
    ExpectQuarantined(
        uls(), "ong",
        Squat(referral, same_case ? CaseAt(ong(), referral)->state.case_id
                                  : CaseId::New()));
  EXPECT_EQ(
      VALUE_OF(ong().referrals().Show(ong().officer(), referral, {}, false))
          .from,
      world_.broker().Id("ong"));
}

TEST_F(CheatingMember, AnAnswerInAnothersNameIsRefused) {
  const std::string referral = Refer({"uls", "gnr"});
  world_.Settle();
  Payload payload = PayloadOf(gnr(), EventKind::kAccepted,
                              CaseAt(uls(), referral)->state.case_id);
  EventDocument event = EventOf(gnr(), payload);
  event.referral_id = VALUE_OF(uls().cases().ResolveReferral(referral)).second;
  event.issuer = world_.broker().Id("uls");
  payload.document = Sign(gnr(), event);
  ExpectQuarantined(gnr(), "ong", payload);
  ExpectHonestTrafficFlows();
}

TEST_F(CheatingMember, AKindThatDiffersFromTheDocumentsIsRefused) {
  const std::string referral = Refer();
  world_.Settle();
  Payload payload = PayloadOf(uls(), EventKind::kAccepted,
                              CaseAt(uls(), referral)->state.case_id);
  EventDocument event = EventOf(uls(), payload);
  event.referral_id = VALUE_OF(uls().cases().ResolveReferral(referral)).second;
  payload.document = Sign(uls(), event);
  payload.kind = EventKind::kCancelled;
  ExpectQuarantined(uls(), "ong", payload);
  payload.kind = EventKind::kRevoked;
  ExpectQuarantined(uls(), "ong", payload);
  ExpectHonestTrafficFlows();
}

TEST_F(CheatingMember, AnothersGrantCannotBeRevoked) {
  const std::string referral = Refer();
  world_.Settle();
  const Grant& grant = GrantAt(uls(), referral);
  for (const char* issuer : {"uls", "ong"}) {
    Payload payload = PayloadOf(uls(), EventKind::kRevoked, grant.case_id);
    payload.document = SignRevocation({.net = grant.net,
                                       .issuer = world_.broker().Id(issuer),
                                       .at = world_.clock().Now(),
                                       .event_id = payload.event_id,
                                       .case_id = grant.case_id,
                                       .grant = grant.digest},
                                      VALUE_OF(uls().keys().Signer()));
    ExpectQuarantined(uls(), "ong", payload);
  }
  EXPECT_EQ(
      VALUE_OF(ong().consents().Show(ong().officer(), grant.id.text())).status,
      GrantStatus::kActive);
  ExpectHonestTrafficFlows();
}

TEST_F(CheatingMember, AWidenedGrantIsRefused) {
  const std::string referral = Refer();
  world_.Settle();
  const Grant& grant = GrantAt(uls(), referral);
  const Json claims = VALUE_OF(PeekJwsPayload(grant.jwt, kGrantBytesMax));
  const SigningKey own = VALUE_OF(uls().keys().Signer());
  // Unchanged but forwarded; signed by itself, as it is and a day longer.
  Json longer = claims, taken_over = claims;
  longer["exp"] =
      claims.contains("exp") ? claims["exp"].get<int64_t>() + 86400 : 1;
  taken_over["iss"] = "uls";
  const auto bring = [&](const std::string& jwt) {
    Payload payload = PayloadOf(uls(), EventKind::kGranted, grant.case_id);
    payload.event_id = VALUE_OF(
        EventId::Parse(VALUE_OF(PeekJwsPayload(jwt, kGrantBytesMax))["jti"]
                           .get<std::string>()));
    payload.document = jwt;
    payload.disclosures = grant.disclosures();
    return payload;
  };
  for (const std::string& jwt : {grant.jwt, SignJws(own, kGrantTyp, claims),
                                 SignJws(own, kGrantTyp, longer)})
    ExpectQuarantined(uls(), "ong", bring(jwt));
  // In its own name it is another grant, whatever its id and its event's.
  Send(uls(), "ong", bring(SignJws(own, kGrantTyp, taken_over)));
  world_.Settle();
  const auto entry = CaseAt(ong(), referral);
  EXPECT_EQ(
      entry->state.authority.grants.at({grant.issuer, grant.id}).grant.digest,
      grant.digest);
  EXPECT_EQ(
      VALUE_OF(ong().consents().Show(ong().officer(), grant.id.text())).digest,
      grant.digest);
  ExpectHonestTrafficFlows();
}

TEST_F(CheatingMember, AGrantOfItsOwnDoesNotOpenAnothersSections) {
  const std::string referral = Refer();
  world_.Settle();
  const Content content = ContentAt(uls(), referral);
  const Grant& grant = GrantAt(uls(), referral);
  Json claims = VALUE_OF(PeekJwsPayload(grant.jwt, kGrantBytesMax));
  claims["iss"] = "uls";
  Payload payload = PayloadOf(uls(), EventKind::kDisclosed, grant.case_id);
  payload.purpose = "support";
  payload.document = content.document;
  payload.disclosures = {content.disclosures.begin()->second};
  payload.grants = {SerializeSdJwt(
      SignJws(VALUE_OF(uls().keys().Signer()), kGrantTyp, claims),
      grant.disclosures())};
  ExpectQuarantined(uls(), "gnr", payload);
  EXPECT_FALSE(Knows(gnr(), referral));
  ExpectHonestTrafficFlows();
}

TEST_F(CheatingMember, TwoEnvelopesUnderOneLinkAreAnAlarmAndBothAreKept) {
  const std::string referral = Refer();
  world_.Settle();
  const Link link = NextLink(ong(), world_.broker().Id("uls"));
  for (int i = 0; i < 2; ++i) {
    Payload payload = PayloadOf(ong(), EventKind::kHeartbeat, std::nullopt);
    payload.document = Sign(ong(), EventOf(ong(), payload));
    Send(ong(), "uls", payload, link);
    world_.Settle();
    EXPECT_EQ(HasAlarmFor(uls(), "link_fork", world_.broker().Id("ong")),
              i == 1);
  }
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  ExpectHonestTrafficFlows();
}

// No honest agent saw more of the log before it sealed than the log held when
// it took the envelope: there are two logs, or this member says so.
TEST_F(CheatingMember, AViewOfMoreThanTheLogHeldIsAnAlarm) {
  const std::string referral = Refer();
  world_.Settle();
  Payload payload = PayloadOf(ong(), EventKind::kHeartbeat, std::nullopt);
  payload.seen_size += 50;
  payload.document = Sign(ong(), EventOf(ong(), payload));
  Send(ong(), "uls", payload);
  world_.Settle();
  EXPECT_TRUE(HasAlarmFor(uls(), "log_fork", world_.broker().Id("ong")));
  EXPECT_FALSE(HasAlarm(ong(), "log_fork"));
}

TEST_F(CheatingMember, ANewKeyThatDeniesTheLastEnvelopeIsAnAlarm) {
  Refer();
  world_.Settle();
  const Link last_but_one = NextLink(ong(), world_.broker().Id("uls"));
  Refer();
  world_.Settle();
  world_.clock().Advance(kSigningKeyRotateAfter + absl::Hours(1));
  world_.Settle();
  Payload payload = PayloadOf(ong(), EventKind::kHeartbeat, std::nullopt);
  payload.document = Sign(ong(), EventOf(ong(), payload));
  Send(ong(), "uls", payload, Link{1, last_but_one.prev});
  world_.Settle();
  EXPECT_TRUE(HasAlarmFor(uls(), "link_fork", world_.broker().Id("ong")));
}

TEST_F(CheatingMember,
       AskingAgainForWhatWasRevokedBringsNothingAndChangesNothing) {
  const std::string consent = RecordConsent();
  const std::string referral = ReferUnder(consent);
  world_.Settle();
  ASSERT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  const auto head = VALUE_OF(ong().outbox().HeadOf(world_.broker().Id("uls")));
  VALUE_OF(ong().consents().Revoke(ong().officer(), consent, {}));
  world_.Settle();
  Payload payload = PayloadOf(uls(), EventKind::kResend, std::nullopt);
  EventDocument event = EventOf(uls(), payload);
  event.link_kid = head->kid;
  event.first = 1;
  event.last = kLinkMax;
  payload.document = Sign(uls(), event);
  Send(uls(), "ong", payload);
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  for (const auto& [key, kept] : CaseAt(uls(), referral)->state.referrals)
    for (const auto& [slot, shared] : kept.shared) EXPECT_TRUE(shared.erased);
}

TEST_F(CheatingMember, AskingForWhatWasWithdrawnBringsNothing) {
  uls().port().down = true;
  const std::string referral = Refer();
  world_.Settle();
  VALUE_OF(ong().referrals().Withdraw(ong().officer(), referral));
  world_.Settle();
  uls().port().down = false;
  Payload payload = PayloadOf(uls(), EventKind::kResend, std::nullopt);
  EventDocument event = EventOf(uls(), payload);
  event.link_kid =
      VALUE_OF(ong().outbox().HeadOf(world_.broker().Id("uls")))->kid;
  event.first = 1;
  event.last = kLinkMax;
  payload.document = Sign(uls(), event);
  Send(uls(), "ong", payload);
  world_.Settle();
  EXPECT_FALSE(Knows(uls(), referral));
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kRecalled);
  ExpectHonestTrafficFlows();
}

TEST_F(CheatingMember, AskingAgainAndAgainBringsNoMoreEachTime) {
  Refer();
  world_.Settle();
  const Digest kid =
      VALUE_OF(ong().outbox().HeadOf(world_.broker().Id("uls")))->kid;
  const auto logged_by_asking = [&] {
    const uint64_t before = world_.broker().leaf_count();
    for (int i = 0; i < 3; ++i) {
      Payload payload = PayloadOf(uls(), EventKind::kResend, std::nullopt);
      EventDocument event = EventOf(uls(), payload);
      event.link_kid = kid;
      event.first = 1;
      event.last = kLinkMax;
      payload.document = Sign(uls(), event);
      Send(uls(), "ong", payload);
    }
    world_.Settle();
    return world_.broker().leaf_count() - before;
  };
  const uint64_t first = logged_by_asking();
  for (int round = 0; round < 4; ++round) EXPECT_LE(logged_by_asking(), first);
  EXPECT_EQ(ong().outbox().size(), 0u);
  ExpectHonestTrafficFlows();
}

TEST_F(CheatingMember, AMailboxThatItFilledHoldsUpNobodyElse) {
  uls().port().down = true;
  const std::string taken_back = Refer();
  world_.Settle();
  ong().port().full = "gnr";  // before uls in the courier's order
  const std::string referral = Refer({"gnr", "uls"});
  VALUE_OF(ong().referrals().Withdraw(ong().officer(), taken_back));
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", taken_back), Delivery::kRecalled);
  uls().port().down = false;
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_FALSE(Knows(uls(), taken_back));
  EXPECT_FALSE(Knows(gnr(), referral));
  ong().port().full.clear();
  world_.Settle();
  EXPECT_TRUE(Knows(gnr(), referral));
}

TEST_F(CheatingMember, APayloadThatTheHeaderDoesNotNameIsRefused) {
  // Bytes that were sealed for another envelope do not open under this header.
  const std::string referral = Refer();
  world_.Settle();
  const MemberId& to = world_.broker().Id("uls");
  Payload payload = PayloadOf(ong(), EventKind::kHeartbeat, std::nullopt);
  payload.document = Sign(ong(), EventOf(ong(), payload));
  Envelope envelope = VALUE_OF(ong().packer().Pack(
      to, payload, NextLink(ong(), to), world_.clock().Now()));
  envelope.header.envelope_id = EnvelopeId::New();
  envelope.header_bytes = EncodeHeader(envelope.header);
  envelope.signature =
      SignEnvelope(VALUE_OF(ong().keys().Signer()), EnvelopeDigest(envelope));
  VALUE_OF(ong().port().Submit(envelope));
  world_.Settle();
  EXPECT_EQ(uls().intake().quarantined(), 1u);
}

}  // namespace
}  // namespace amparo::agent

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agents/institution/core/confirm_key.h"
#include "crypto/random.h"
#include "proto/content/event_document.h"
#include "proto/content/revocation.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/recall.h"
#include "tests/adversary/victims.h"

// A member with good keys whose mail is well formed and means harm by its
// numbers, ids and amount: it tries to stop the others' mail, or its victim.

namespace amparo::agent {
namespace {

class FloodingMember : public Victims {
 protected:
  const MemberId& Id(const char* member) { return world_.broker().Id(member); }
  static Link NextLink(TestAgent& from, const MemberId& to) {
    const auto head = VALUE_OF(from.outbox().HeadOf(to));
    return {head ? head->seq + 1 : 1, head ? head->digest : Digest()};
  }
  static Payload PayloadOf(TestAgent& from, EventKind kind) {
    const LogWatch::View seen = from.log().view();
    return Payload{.event_id = EventId::New(),
                   .kind = kind,
                   .salt = RandomArray<32>(),
                   .salt2 = RandomArray<32>(),
                   .seen_size = seen.size.value(),
                   .seen_root = seen.root};
  }
  EventDocument EventOf(TestAgent& from, const Payload& payload) {
    return EventDocument{.net = from.peers().Now()->charter.network_id,
                         .issuer = from.keys().self(),
                         .at = world_.clock().Now(),
                         .event_id = payload.event_id,
                         .kind = payload.kind};
  }
  static std::string Sign(TestAgent& from, const EventDocument& event) {
    return VALUE_OF(SignEvent(event, VALUE_OF(from.keys().Signer())));
  }
  Payload Heartbeat(TestAgent& from) {
    Payload payload = PayloadOf(from, EventKind::kHeartbeat);
    payload.document = Sign(from, EventOf(from, payload));
    return payload;
  }
  std::shared_ptr<const Case> CaseOf(const std::string& referral) {
    return uls().cases().FindByReferral(
        VALUE_OF(uls().cases().ResolveReferral(referral)));
  }
  // That there is nothing more under an own link: it waits for trust.
  Payload SkipOf(TestAgent& from, uint64_t link) {
    Payload payload = PayloadOf(from, EventKind::kSkip);
    EventDocument event = EventOf(from, payload);
    event.link_kid = VALUE_OF(from.keys().Signer()).verify_key().Thumbprint();
    event.first = event.last = link;
    payload.document = Sign(from, event);
    return payload;
  }
  Payload Resend(const Digest& kid, uint64_t first, uint64_t last) {
    Payload payload = PayloadOf(mp(), EventKind::kResend);
    EventDocument event = EventOf(mp(), payload);
    event.link_kid = kid;
    event.first = first;
    event.last = last;
    payload.document = Sign(mp(), event);
    return payload;
  }
  Payload RevocationOfNothing() {
    Payload payload = PayloadOf(mp(), EventKind::kRevoked);
    payload.case_id = CaseId::New();
    payload.document =
        SignRevocation({.net = mp().peers().Now()->charter.network_id,
                        .issuer = mp().keys().self(),
                        .at = world_.clock().Now(),
                        .event_id = payload.event_id,
                        .case_id = *payload.case_id,
                        .grant = Sha256(payload.event_id.text())},
                       VALUE_OF(mp().keys().Signer()));
    return payload;
  }
  // Well formed, and about a case that nobody knows.
  Payload Junk() {
    Payload payload = PayloadOf(mp(), EventKind::kAccepted);
    payload.case_id = CaseId::New();
    EventDocument event = EventOf(mp(), payload);
    event.case_id = payload.case_id;
    event.referral_id = ReferralId::New();
    payload.document = Sign(mp(), event);
    return payload;
  }
  // The first event of a case, or one more of it.
  Payload CancelRequest(TestAgent& from, const CaseId& id) {
    Payload payload = PayloadOf(from, EventKind::kCancelRequested);
    payload.case_id = id;
    EventDocument event = EventOf(from, payload);
    event.case_id = id;
    event.referral_id = ReferralId::New();
    payload.document = Sign(from, event);
    return payload;
  }
  // As if `count` of them, with so long a code, had come from mp before.
  void FillCase(const CaseId& id, size_t count, size_t code_bytes) {
    ASSERT_OK(uls().cases().Change(
        id, [&](const Case*) -> absl::StatusOr<CaseChange> {
          CaseChange change;
          for (size_t i = 0; i < count; ++i)
            change.events.push_back(
                {EventId::New(), id, Id("mp"), Id("uls"), world_.clock().Now(),
                 LeafIndex(i), std::nullopt,
                 Answered{EventKind::kCancelRequested, ReferralId::New(),
                          std::string(code_bytes, 'x')}});
          return change;
        }));
  }
  size_t EventsAtUls(const CaseId& id) {
    return uls().cases().Find(id)->events.size();
  }
  // What uls signed for it.
  ReceiptKind AnswerTo(const EnvelopeId& id) {
    return static_cast<ReceiptKind>(
        VALUE_OF(uls().kv().Get("in/seen/mp/" + id.text())).back());
  }
  Envelope Pack(TestAgent& from, const Payload& payload, const Link& link) {
    return VALUE_OF(
        from.packer().Pack(Id("uls"), payload, link, world_.clock().Now()));
  }
  // To uls; remembered in the sender's own books.
  void Send(TestAgent& from, const Payload& payload,
            std::optional<Link> link = std::nullopt) {
    if (!link) link = NextLink(from, Id("uls"));
    const Envelope envelope = Pack(from, payload, *link);
    ASSERT_OK(from.port().Submit(envelope).status());
    Batch rows;
    from.outbox().PutUnderWay(
        {Draft{.recipient = Id("uls"), .event_id = payload.event_id}, envelope},
        {envelope.header.sender_kid, link->seq, EnvelopeDigest(envelope)},
        rows);
    from.outbox().ClearUnderWay(Id("uls"), rows);
    ASSERT_OK(from.kv().Write(rows));
  }

  // From now on new keys wait for their words to be compared.
  void RequireTrust() {
    const TestCommittee& committee = world_.broker().committee();
    Charter next = committee.Successor(world_.broker().charter());
    next.trust_delay = absl::Hours(24);
    VALUE_OF(world_.broker().PublishCharter(committee.Sign(next)));
    world_.Settle();
  }
  void Confirm(TestAgent& agent, const char* member) {
    ASSERT_OK(ConfirmKey(agent.desk(), agent.officer(), Id(member),
                         agent.peers().KeyWordsOf(Id(member))));
  }
  // Whether uls's officers may send, where so many of theirs may wait.
  absl::Status RoomAtUls(size_t drafts_max) {
    return VALUE_OF(Outbox::Open(uls().kv(), drafts_max))->CheckRoom();
  }
  Digest KidOfUls() {
    return VALUE_OF(uls().keys().Signer()).verify_key().Thumbprint();
  }

  // A referral that the broker drops comes once it was asked for.
  void ExpectDroppedMailComesBack() {
    Refer();
    world_.Settle();
    uls().port().tamper =
        [dropped = std::optional<EnvelopeId>()](MailboxItem item) mutable {
          std::optional<MailboxItem> kept(std::move(item));
          const auto* envelope = std::get_if<Envelope>(&kept->event);
          if (envelope == nullptr || envelope->header.sender.text() != "ong")
            return kept;
          if (!dropped) dropped = envelope->header.envelope_id;
          if (*dropped == envelope->header.envelope_id) kept.reset();
          return kept;
        };
    const std::string dropped = Refer();
    Refer();
    world_.Settle();
    EXPECT_FALSE(Knows(uls(), dropped));
    LetResendsHappen();
    EXPECT_TRUE(Knows(uls(), dropped));
    uls().port().tamper = nullptr;
  }
};

TEST_F(FloodingMember, ALinkThatNobodyCanAskForIsNotTaken) {
  for (const uint64_t seq : {kLinkMax + 1, uint64_t{1} << 63, UINT64_MAX}) {
    const Envelope envelope = Pack(mp(), Heartbeat(mp()), {seq, Digest()});
    EXPECT_THAT(mp().port().Submit(envelope).status(),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(DecodeEnvelope(EncodeEnvelope(envelope)).status(),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  ExpectDroppedMailComesBack();
}

TEST_F(FloodingMember, TheHighestLinkKeepsNoOthersMailBack) {
  Send(mp(), Heartbeat(mp()),
       Link{kLinkMax, Sha256(absl::string_view("made up"))});
  world_.Settle();
  EXPECT_TRUE(HasAlarmFor(uls(), "gap", Id("mp")));
  LetResendsHappen();
  // Nothing can have come after it, whatever a new key's first link names.
  world_.clock().Advance(kSigningKeyRotateAfter + absl::Hours(1));
  world_.Settle();
  Send(mp(), Heartbeat(mp()), Link{1, Sha256(absl::string_view("never sent"))});
  world_.Settle();
  ExpectDroppedMailComesBack();
}

// As an agent stored it that took such a link before they were refused.
TEST_F(FloodingMember, AGapThatNobodyCanAskForKeepsNoOthersMailBack) {
  const Json gaps = {{{"kid", Digest().ToString()},
                      {"first", 1},
                      {"last", INT64_MAX},
                      {"since", 0},
                      {"asked", false}},
                     {{"kid", Digest().ToString()},
                      {"first", kLinkMax + 1},
                      {"last", INT64_MAX},
                      {"since", 0},
                      {"asked", false}}};
  Batch rows;
  rows.Put("in/gaps/mp", AsBytes(DumpJson(gaps)));
  ASSERT_OK(uls().kv().Write(rows));
  ExpectDroppedMailComesBack();
}

// The broker showed it the id of mail that is not logged yet.
TEST_F(FloodingMember, AnothersEnvelopeIdDoesNotKeepItOut) {
  std::optional<EnvelopeId> id;
  ong().port().divert = [&](const Envelope& envelope) {
    id = envelope.header.envelope_id;
  };
  const std::string referral = Refer();
  world_.Settle();
  ASSERT_TRUE(id);
  Envelope envelope = Pack(mp(), Heartbeat(mp()), NextLink(mp(), Id("uls")));
  envelope.header.envelope_id = *id;
  envelope.header_bytes = EncodeHeader(envelope.header);
  envelope.signature =
      SignEnvelope(VALUE_OF(mp().keys().Signer()), EnvelopeDigest(envelope));
  ASSERT_OK(mp().port().Submit(envelope).status());
  world_.Settle();
  const uint32_t quarantined = uls().intake().quarantined();
  ong().port().divert = nullptr;
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  EXPECT_EQ(uls().intake().quarantined(), quarantined);
  ExpectHonestTrafficFlows();
}

// Rows as agents wrote them before: they do not say whose envelope it was.
TEST_F(FloodingMember, WhatCameBeforeTheUpgradeIsStillKnownAndKeepsNobodyOut) {
  std::optional<Envelope> sent;
  ong().port().divert = [&](const Envelope& envelope) { sent = envelope; };
  const std::string referral = Refer();
  world_.Settle();
  ASSERT_TRUE(sent);
  const std::string key = "in/seen/" + sent->header.envelope_id.text();
  Batch rows;
  rows.Put(key, Sha256(absl::string_view("another's")).bytes());
  ASSERT_OK(uls().kv().Write(rows));
  ong().port().divert = nullptr;
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), referral));

  ong().port().divert = [&](const Envelope& envelope) { sent = envelope; };
  const std::string replayed = Refer();
  world_.Settle();
  Batch known;
  known.Put("in/seen/" + sent->header.envelope_id.text(),
            EnvelopeDigest(*sent).bytes());
  ASSERT_OK(uls().kv().Write(known));
  ong().port().divert = nullptr;
  world_.Settle();
  EXPECT_FALSE(Knows(uls(), replayed));
  EXPECT_EQ(uls().intake().quarantined(), 0u);
}

TEST_F(FloodingMember, MailUnderANewKeyFillsNothingAndHoldsUpNobody) {
  RequireTrust();
  Confirm(mp(), "uls");
  Confirm(ong(), "uls");
  Confirm(uls(), "ong");
  constexpr size_t kMost = HeldMail::kPerKeyMax;
  for (size_t i = 0; i < kMost; ++i) Send(mp(), SkipOf(mp(), i + 1));
  world_.Settle();
  EXPECT_FALSE(uls().held().MayRevoke(CaseId::New(), Id("mp")));
  for (size_t i = 0; i < 20; ++i) Send(mp(), SkipOf(mp(), 1000 + i));
  world_.Settle();
  EXPECT_EQ(uls().held().size(), kMost);
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  // What found no room may have taken a consent back.
  EXPECT_TRUE(uls().held().MayRevoke(CaseId::New(), Id("mp")));
  EXPECT_FALSE(uls().held().MayRevoke(CaseId::New(), Id("ong")));
  ExpectHonestTrafficFlows();

  // As long as nobody trusts the key, nothing of it is read again.
  Batch damage, repair;
  ASSERT_OK(uls().kv().Scan("in/held/", "",
                            [&](absl::string_view key, ByteView value) {
                              damage.Put(key, Bytes{0});
                              repair.Put(key, value);
                              return true;
                            }));
  ASSERT_OK(uls().kv().Write(damage));
  EXPECT_OK(uls().intake().ReleaseHeld());
  ASSERT_OK(uls().kv().Write(repair));

  Confirm(uls(), "mp");
  EXPECT_EQ(uls().held().size(), 0u);
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  ExpectHonestTrafficFlows();
}

// More than there is room for, before anybody compared the words: nothing is
// acknowledged and nothing is lost.
TEST_F(FloodingMember, WhatFindsNoRoomComesOnceItsKeyIsTrusted) {
  RequireTrust();
  Confirm(ong(), "uls");
  for (size_t i = 0; i < HeldMail::kPerKeyMax; ++i)
    Send(ong(), SkipOf(ong(), i + 1));
  const std::string consent = RecordConsent();
  const std::string referral = ReferUnder(consent);
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
  EXPECT_FALSE(HasAlarm(ong(), "undecryptable"));
  LetResendsHappen();  // not while it would find no room again
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
  Confirm(uls(), "ong");
  LetResendsHappen();
  LetResendsHappen();
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  EXPECT_TRUE(uls().held().Overflows().empty());
  ExpectHonestTrafficFlows();
}

// A revocation that found no room: what stands on its consent stays hidden
// until it came, though its key is trusted before that.
TEST_F(FloodingMember, ARevocationThatFoundNoRoomHidesUntilItCame) {
  const std::string consent = RecordConsent();
  const std::string referral = ReferUnder(consent);
  world_.Settle();
  const CaseId id = CaseOf(referral)->state.case_id;
  RequireTrust();
  Confirm(ong(), "uls");
  for (size_t i = 0; i < HeldMail::kPerKeyMax; ++i)
    Send(ong(), SkipOf(ong(), i + 1));
  EXPECT_OK(ong().consents().Revoke(ong().officer(), consent, {}));
  world_.Settle();
  EXPECT_TRUE(uls().held().MayRevoke(id, Id("ong")));
  uls().Restart();
  EXPECT_TRUE(uls().held().MayRevoke(id, Id("ong")));
  Confirm(uls(), "ong");
  EXPECT_TRUE(uls().held().MayRevoke(id, Id("ong")));
  LetResendsHappen();
  LetResendsHappen();
  EXPECT_FALSE(uls().held().MayRevoke(id, Id("ong")));
  for (const auto& [key, kept] : CaseOf(referral)->state.referrals)
    for (const auto& [slot, shared] : kept.shared) EXPECT_TRUE(shared.erased);
}

TEST_F(FloodingMember, WhatItAsksForFillsNobodysOutbox) {
  uls().port().full = "mp";  // it takes nothing in
  const size_t before = uls().outbox().size();
  for (uint64_t i = 1; i <= 40; ++i) {
    Send(mp(), Resend(KidOfUls(), 2 * i, 2 * i));
    Send(mp(), Resend(Sha256(absl::string_view("no key")), i, i));
    if (i % 4 == 0) world_.Settle();
  }
  EXPECT_LE(uls().outbox().size(), before + 4);
  uls().port().full.clear();
  world_.Settle();
  world_.Settle();
  EXPECT_EQ(uls().outbox().size(), 0u);
  ExpectDroppedMailComesBack();
}

TEST_F(FloodingMember, ItsGapsFillNobodysOutbox) {
  uls().port().full = "mp";
  for (uint64_t i = 1; i <= 40; ++i)
    Send(mp(), Heartbeat(mp()),
         Link{2 * i, Sha256(absl::string_view("made up"))});
  world_.Settle();
  for (int i = 0; i < 5; ++i) LetResendsHappen();
  EXPECT_LE(uls().outbox().size(), 16u);
  ExpectDroppedMailComesBack();
  uls().port().full.clear();
  for (int i = 0; i < 5; ++i) LetResendsHappen();
  EXPECT_EQ(uls().outbox().size(), 0u);
  EXPECT_FALSE(HasAlarmFor(uls(), "gap", Id("mp")));  // all were asked for
}

TEST_F(FloodingMember, WhatAnswersItsMailTakesNoRoomFromOfficers) {
  uls().port().full = "mp";
  for (int i = 0; i < 6; ++i) Send(mp(), RevocationOfNothing());
  Send(mp(), Resend(KidOfUls(), 1, kLinkMax));
  Send(mp(), Heartbeat(mp()), Link{100, Digest()});
  world_.Settle();
  LetResendsHappen();
  EXPECT_GE(uls().outbox().size(), 6u);
  EXPECT_OK(RoomAtUls(1));
  uls().port().full.clear();
  world_.Settle();
  EXPECT_EQ(uls().outbox().size(), 0u);
}

TEST_F(FloodingMember, RefusedMailFillsNoDisk) {
  constexpr size_t kMost = RefusedMail::kPerSenderMax;
  for (size_t i = 0; i < kMost; ++i) Send(mp(), Junk());
  world_.Settle();
  EXPECT_EQ(uls().intake().quarantined(), kMost);
  EXPECT_FALSE(HasAlarm(uls(), "flood"));
  uls().Restart();
  const Envelope last = Pack(mp(), Junk(), NextLink(mp(), Id("uls")));
  ASSERT_OK(mp().port().Submit(last).status());
  world_.Settle();
  EXPECT_EQ(uls().intake().quarantined(), kMost);
  EXPECT_TRUE(HasAlarmFor(uls(), "flood", Id("mp")));
  // What is not kept is not acknowledged.
  EXPECT_EQ(AnswerTo(last.header.envelope_id), ReceiptKind::kUndecryptable);
  // Nobody else's room is taken.
  Send(gnr(), CancelRequest(gnr(), CaseId::New()));
  ExpectHonestTrafficFlows();
  EXPECT_FALSE(HasAlarmFor(uls(), "flood", Id("ong")));
}

TEST_F(FloodingMember, LargeRefusedMailFillsNoDisk) {
  constexpr size_t kEach = size_t{200} << 10;
  for (size_t i = 0; i <= RefusedMail::kBytesPerSenderMax / kEach; ++i) {
    Payload junk = Junk();
    junk.document = std::string(kEach, 'x');
    Send(mp(), junk);
  }
  world_.Settle();
  EXPECT_GT(uls().intake().quarantined(), 70u);
  EXPECT_LT(uls().intake().quarantined(),
            RefusedMail::kBytesPerSenderMax / kEach);
  EXPECT_TRUE(HasAlarmFor(uls(), "flood", Id("mp")));
  ExpectHonestTrafficFlows();
}

TEST_F(FloodingMember, ACaseTakesOnlySoManyEventsOfOneMember) {
  const CaseId id = CaseId::New();
  FillCase(id, kEventsOfPeerMax - 1, 1);
  const Payload last = CancelRequest(mp(), id);
  Send(mp(), last);
  world_.Settle();
  EXPECT_EQ(EventsAtUls(id), kEventsOfPeerMax);
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  uls().Restart();
  Send(mp(), CancelRequest(mp(), id));
  world_.Settle();
  EXPECT_EQ(EventsAtUls(id), kEventsOfPeerMax);
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  // What is known may come again, others have room, and so has it elsewhere.
  Send(mp(), last);
  Send(gnr(), [&] {
    Payload payload = PayloadOf(gnr(), EventKind::kRevoked);
    payload.case_id = id;
    payload.document =
        SignRevocation({.net = gnr().peers().Now()->charter.network_id,
                        .issuer = Id("gnr"),
                        .at = world_.clock().Now(),
                        .event_id = payload.event_id,
                        .case_id = id,
                        .grant = Sha256("a grant")},
                       VALUE_OF(gnr().keys().Signer()));
    return payload;
  }());
  const CaseId other = CaseId::New();
  Send(mp(), CancelRequest(mp(), other));
  world_.Settle();
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  EXPECT_EQ(uls().cases().Find(id)->shares.at(Id("mp")).events,
            kEventsOfPeerMax);
  EXPECT_EQ(uls().cases().Find(id)->shares.at(Id("gnr")).events, 1u);
  EXPECT_EQ(EventsAtUls(other), 1u);
}

TEST_F(FloodingMember, ACaseTakesOnlySoManyBytesOfOneMember) {
  const CaseId id = CaseId::New();
  constexpr size_t kEach = size_t{32} << 10,
                   kCount = kEventBytesOfPeerMax / kEach;
  FillCase(id, kCount, kEach);
  Send(mp(), CancelRequest(mp(), id));
  world_.Settle();
  EXPECT_EQ(EventsAtUls(id), kCount);
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  uls().Restart();
  EXPECT_GT(uls().cases().ShareOf(Id("mp")).bytes, kEventBytesOfPeerMax);
  Send(mp(), CancelRequest(mp(), id));
  world_.Settle();
  EXPECT_EQ(EventsAtUls(id), kCount);
  ExpectHonestTrafficFlows();
}

// Witnesses are away: its next prekey, and everybody's, waits for a quorum, and
// so might what is refused now be right then.
class WithoutAQuorum : public FloodingMember {
 protected:
  WithoutAQuorum() {
    world_.RequireQuorum(4);
    world_.Settle();
    Refer();  // the charter needs nobody any more
    world_.Settle();
    SetWitnesses(false);
    world_.clock().Advance(absl::Hours(24) + absl::Minutes(1));
    world_.Settle();
  }
  void SetWitnesses(bool there) {
    for (const char* id : {"gnr", "cpcj"}) world_.agent(id).witnesses = there;
  }
};

TEST_F(WithoutAQuorum, JunkHoldsUpNobodysMail) {
  for (int i = 0; i < 3; ++i) Send(mp(), Junk());
  world_.Settle();
  EXPECT_EQ(uls().intake().quarantined(), 0u);  // not decided yet
  EXPECT_EQ(uls().intake().waiting(), 3u);
  ExpectHonestTrafficFlows();
  uls().Restart();
  EXPECT_EQ(uls().intake().waiting(), 3u);
  ExpectHonestTrafficFlows();

  SetWitnesses(true);
  world_.Settle();
  EXPECT_EQ(uls().intake().waiting(), 0u);
  EXPECT_EQ(uls().intake().quarantined(), 3u);
  ExpectHonestTrafficFlows();
}

TEST_F(WithoutAQuorum, JunkFillsNoDisk) {
  for (size_t i = 0; i < WaitingMail::kPerSenderMax + 5; ++i)
    Send(mp(), Junk());
  world_.Settle();
  EXPECT_EQ(uls().intake().waiting(), WaitingMail::kPerSenderMax);
  EXPECT_TRUE(HasAlarmFor(uls(), "flood", Id("mp")));
  EXPECT_FALSE(HasAlarm(ong(), "flood"));
  ExpectHonestTrafficFlows();
  SetWitnesses(true);
  world_.Settle();
  EXPECT_EQ(uls().intake().waiting(), 0u);
  ExpectHonestTrafficFlows();
}

// The broker alone can log what nobody signed: who is named by it is accused of
// nothing.
TEST_F(WithoutAQuorum, AttackForgeriesAccuseNobody) {
  std::vector<MailboxItem> items;
  for (size_t i = 0; i <= WaitingMail::kPerSenderMax; ++i) {
    Envelope forged = Pack(ong(), Heartbeat(ong()), NextLink(ong(), Id("uls")));
    forged.signature[0] ^= 1;
    const Bytes event = EncodeAuditEvent(EnvelopeEvent{
        forged.header_bytes, BodyDigest(forged.enc, forged.ciphertext),
        forged.signature});
    items.push_back({LogAnyway(event), std::move(forged)});
  }
  world_.Settle();
  for (const MailboxItem& item : items) EXPECT_OK(uls().intake().Take(item));
  EXPECT_EQ(uls().intake().waiting(), WaitingMail::kPerSenderMax);
  EXPECT_TRUE(HasAlarm(uls(), "flood"));
  EXPECT_FALSE(HasAlarmFor(uls(), "flood", Id("ong")));
}

// A quorum that never comes keeps neither mail nor a prekey for ever.
TEST_F(WithoutAQuorum, JunkDoesNotWaitForEver) {
  Send(mp(), Junk());
  world_.Settle();
  EXPECT_EQ(uls().intake().waiting(), 1u);
  world_.clock().Advance(kEnvelopeLifeMax);
  uls().Turn(world_.Shown());
  EXPECT_EQ(uls().intake().waiting(), 1u);
  world_.clock().Advance(kSeenAfterExpiry);
  uls().Turn(world_.Shown());
  uls().Turn(world_.Shown());
  EXPECT_EQ(uls().intake().waiting(), 0u);
  EXPECT_EQ(uls().intake().quarantined(), 1u);
}

// What waits was not acknowledged: its sender may take it back, unread.
TEST_F(WithoutAQuorum, WhatWaitsIsNotAcknowledged) {
  const Payload junk = Junk();
  const Envelope sent = Pack(mp(), junk, NextLink(mp(), Id("uls")));
  const LeafReceipt receipt = VALUE_OF(mp().port().Submit(sent));
  world_.Settle();
  ASSERT_EQ(uls().intake().waiting(), 1u);
  const std::string recall = SignRecall({.net = sent.header.network_id,
                                         .sender = Id("mp"),
                                         .envelope_id = sent.header.envelope_id,
                                         .digest = EnvelopeDigest(sent),
                                         .at = world_.clock().Now()},
                                        VALUE_OF(mp().keys().Signer()));
  EXPECT_OK(mp().port().Recall(recall).status());
  world_.Settle();
  SetWitnesses(true);
  world_.Settle();
  EXPECT_EQ(uls().intake().waiting(), 0u);
  EXPECT_EQ(uls().intake().quarantined(), 0u);  // never opened
}

// What the bounds above must not cost: many gaps at once are all answered.
TEST_F(FloodingMember, ManyGapsOfAnHonestSenderAreAllFilled) {
  Refer();
  world_.Settle();
  std::set<EnvelopeId> dropped;
  uls().port().tamper =
      [&, count = 0](MailboxItem item) mutable -> std::optional<MailboxItem> {
    const auto* envelope = std::get_if<Envelope>(&item.event);
    if (envelope == nullptr) return item;
    const EnvelopeId id = envelope->header.envelope_id;
    if (dropped.contains(id)) return std::nullopt;
    if (++count % 2 == 0 || dropped.size() == 20) return item;
    dropped.insert(id);
    return std::nullopt;
  };
  std::vector<std::string> referrals;
  for (int i = 0; i < 42; ++i) referrals.push_back(Refer());
  world_.Settle();
  ASSERT_EQ(dropped.size(), 20u);
  for (int i = 0; i < 4; ++i) LetResendsHappen();
  for (const std::string& referral : referrals)
    EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_FALSE(HasAlarm(uls(), "gap"));
}

}  // namespace
}  // namespace amparo::agent

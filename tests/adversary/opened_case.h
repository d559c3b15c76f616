#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agents/institution/core/evidence_desk.h"
#include "base/encoding.h"
#include "crypto/random.h"
#include "proto/content/case_opening.h"
#include "proto/content/event_document.h"
#include "proto/content/without_consent.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/receipt.h"
#include "tests/adversary/lying_broker.h"

namespace amparo::agent {

// A case that its parties open to an auditor, and may lie about: its log is
// what was signed, so the lie has to fit the entries that are there.
class LyingAboutACase : public LyingBroker {
 protected:
  // Referred, delivered, revoked, agreed to again for another section.
  LyingAboutACase() {
    const std::string first = RecordConsent();
    referral_ = ReferUnder(first);
    world_.Settle();
    case_id_ =
        VALUE_OF(ong().referrals().Show(ong().officer(), referral_, {}, true))
            .case_id.text();
    EXPECT_OK(ong().consents().Revoke(ong().officer(), first, {}));
    world_.Settle();
    world_.clock().Advance(absl::Minutes(2));
    Json form = VALUE_OF(ParseJson(kExampleConsentForm));
    form["case"] = case_id_;
    EXPECT_OK(ong().consents().Record(ong().officer(), DumpJson(form), {}, ""));
    EXPECT_OK(ong().referrals().Disclose(ong().officer(), referral_, "uls",
                                         {"needs"}));
    world_.Settle();
  }

  static EvidenceDesk DeskOf(TestAgent& agent) {
    return EvidenceDesk(agent.desk());
  }
  CaseOpening Open(TestAgent& agent, bool with_sections = false) {
    return VALUE_OF(ParseCaseOpening(
        VALUE_OF(
            DeskOf(agent).OpenCase(agent.supervisor(), case_id_, with_sections))
            .text));
  }
  auditor::Report Judged(std::vector<CaseOpening> openings) {
    return Judged(std::move(openings), Shown());
  }
  auditor::Report Judged(std::vector<CaseOpening> openings, ShownLog log) {
    return VALUE_OF(
        auditor::Replay(log, {.root = Root(), .cases = std::move(openings)}));
  }
  // The envelopes that brought sections.
  static std::vector<OpenedEnvelope*> Disclosing(CaseOpening& opening) {
    std::vector<OpenedEnvelope*> found;
    for (OpenedEnvelope& envelope : opening.envelopes)
      if (!envelope.slots.empty()) found.push_back(&envelope);
    return found;
  }
  static OpenedEnvelope& First(CaseOpening& opening) {
    return *Disclosing(opening).front();
  }

  // Puts what ong sent besides its case's own events into its opening, as it
  // may: its entry in the log was signed for by uls.
  void SendBesides(CaseOpening& opening, EventKind kind,
                   const EventId& event_id) {
    Payload payload{.case_id = opening.case_id,
                    .event_id = event_id,
                    .kind = kind,
                    .salt = RandomArray<32>(),
                    .salt2 = RandomArray<32>()};
    payload.document = VALUE_OF(SignEvent(
        EventDocument{.net = opening.net,
                      .issuer = opening.member,
                      .at = world_.clock().Now(),
                      .event_id = event_id,
                      .kind = kind,
                      .case_id = opening.case_id,
                      .referral_id = VALUE_OF(ReferralId::Parse(referral_))},
        VALUE_OF(ong().keys().Signer())));
    const MemberId& uls_id = world_.broker().Id("uls");
    const auto head = VALUE_OF(ong().outbox().HeadOf(uls_id));
    const Envelope envelope = VALUE_OF(ong().packer().Pack(
        uls_id, payload, {head->seq + 1, head->digest}, world_.clock().Now()));
    const LeafReceipt receipt = VALUE_OF(ong().port().Submit(envelope));
    Batch rows;
    ong().outbox().PutUnderWay(
        {Draft{.recipient = uls_id, .event_id = event_id}, envelope},
        {envelope.header.sender_kid, head->seq + 1, EnvelopeDigest(envelope)},
        rows);
    ong().outbox().ClearUnderWay(uls_id, rows);
    ASSERT_OK(ong().kv().Write(rows));
    world_.Settle();
    opening.envelopes.push_back(
        {.leaf = receipt.leaf,
         .salt = ToBytes(payload.salt),
         .manifest = ManifestDigest(payload.salt2, {}, {}),
         .document = payload.document,
         .slots = {},
         .purpose = "",
         .content = std::nullopt});
  }

  // The link that goes on from the last one of this key to `to` in the log.
  std::pair<uint64_t, Digest> NextLink(const Digest& kid, const MemberId& to) {
    std::pair<uint64_t, Digest> next{1, Digest()};
    for (const auto& [leaf, opening] : Shown().openings) {
      const auto event = DecodeAuditEvent(opening.event);
      const auto* sent =
          event.ok() ? std::get_if<EnvelopeEvent>(&*event) : nullptr;
      if (sent == nullptr) continue;
      const Header header = VALUE_OF(DecodeHeader(sent->header));
      if (header.sender_kid == kid && header.recipient == to)
        next = {header.link_seq + 1, EnvelopeDigest(sent->header, sent->body)};
    }
    return next;
  }
  // Logs an envelope from `from` to `to` that holds `document`, as a broker
  // does that looks at nothing.
  OpenedEnvelope Log(TestAgent& from, const char* sender, const char* to,
                     OpenedEnvelope opened) {
    const SigningKey key = VALUE_OF(from.keys().Signer());
    const absl::Time now = world_.clock().Now();
    const auto [seq, prev] =
        NextLink(key.verify_key().Thumbprint(), world_.broker().Id(to));
    const Bytes header =
        EncodeHeader({kSuite1,
                      world_.broker().charter().network_id,
                      EnvelopeId::New(),
                      world_.broker().charter().hash,
                      world_.broker().Id(sender),
                      key.verify_key().Thumbprint(),
                      world_.broker().Id(to),
                      Sha256("a prekey"),
                      now,
                      now + absl::Hours(1),
                      CiphertextSize(100),
                      {},
                      seq,
                      prev,
                      AnchorDigest(opened.salt, SdJwtDigest(opened.document),
                                   opened.manifest)});
    const Digest body = Sha256("a body");
    const Digest digest = EnvelopeDigest(header, body);
    opened.leaf = LogAnyway(EncodeAuditEvent(EnvelopeEvent{
                                header, body, SignEnvelope(key, digest)}))
                      .leaf;
    digests_[opened.leaf] = digest;
    return opened;
  }
  // That holds nothing but `document`.
  OpenedEnvelope Log(TestAgent& from, const char* sender, const char* to,
                     const std::string& document) {
    return Log(
        from, sender, to,
        OpenedEnvelope{.salt = RandomBytes(32),
                       .manifest = ManifestDigest(RandomBytes(32), {}, {}),
                       .document = document});
  }
  // `member` signs that the envelope of `leaf`, by `sender`, came.
  void LogDelivered(TestAgent& member, const char* id, const char* sender,
                    LeafIndex leaf) {
    LogAnyway(EncodeAuditEvent(ReceiptEvent{SignReceipt(
        {world_.broker().charter().network_id, world_.broker().Id(id),
         world_.broker().Id(sender), world_.clock().Now(), EventId::New(),
         ReceiptKind::kDelivered, digests_.at(leaf), leaf},
        VALUE_OF(member.keys().Signer()))}));
  }

  // ong sends mp, which no consent names, the identity section, with `grants`:
  // its agent would not. Into `opening`, which has the sections.
  LeafIndex SendAnyway(CaseOpening& opening, std::vector<std::string> grants) {
    OpenedEnvelope sent = First(opening);
    sent.slots = {Slot{Section::kIdentity}};
    sent.purpose = "safety";
    sent.first_contact = false;
    std::erase_if(sent.content->disclosures, [](const Disclosure& one) {
      return ToText(VALUE_OF(FromBase64Url(one))).find("\"identity\"") ==
             std::string::npos;
    });
    EXPECT_EQ(sent.content->disclosures.size(), 1u);
    sent.content->grants = std::move(grants);
    sent.manifest = ManifestDigest(
        sent.content->salt2, sent.content->disclosures, sent.content->grants);
    sent = Log(ong(), "ong", "mp", sent);
    world_.Settle();
    opening.envelopes.push_back(sent);
    return sent.leaf;
  }
  // By a key that ong had then, and has still.
  std::string BasisFor(const CaseOpening& opening, const char* member) {
    const absl::Time now = world_.clock().Now();
    WithoutConsent record{.net = opening.net,
                          .issuer = opening.member,
                          .recipient = world_.broker().Id(member),
                          .at = now,
                          .expires = now + kWithoutConsentLife,
                          .case_id = opening.case_id,
                          .id = WithoutConsentId::New(),
                          .reason_code = "imminent_danger_life",
                          .sections = {Section::kIdentity},
                          .risk_level = "extreme",
                          .purpose = "safety",
                          .legal_basis = {"A6-1-d"},
                          .agreement_sought = "unsafe",
                          .informed_answer = "unsafe",
                          .texts = Sha256("reasons")};
    return SignWithoutConsent(record, VALUE_OF(ong().keys().Signer())).token;
  }

  std::string referral_, case_id_;
  std::map<LeafIndex, Digest> digests_;  // of what Log logged
};

}  // namespace amparo::agent

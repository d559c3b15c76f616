#include "tests/interop/documents.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "crypto/hpke.h"
#include "crypto/random.h"
#include "crypto/sd_jwt.h"
#include "proto/content/consent_form.h"
#include "proto/content/grant.h"
#include "proto/content/payload.h"
#include "proto/content/referral_document.h"
#include "proto/content/referral_form.h"
#include "proto/content/summary.h"
#include "proto/envelope/codec.h"
#include "proto/network/charter.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_charter.h"
#include "tests/support/test_member.h"

namespace amparo {
namespace {

constexpr char kReferralForm[] = R"({
 "schema":"referral_form/1","priority":"urgent","purpose":"health_care",
 "sections":{
  "identity":{"given_name":"Márta","family_name":"EXEMPLO",
              "birth_date":"1990-02-03","sex":"female","language":"pt"},
  "risk":{"level":"high","strangulation":true,
          "assessed_at":"2026-11-20T09:30:00Z"},
  "health":{"injuries":"contusions, left arm","pregnancy":false},
  "needs":{"services_requested":["health","shelter"],"childcare":true}}})";

constexpr char kConsentForm[] = R"({
 "schema":"consent_form/1","case":null,"jurisdiction":"PT","agreement":"given",
 "expressed_by":[{"party":"subject","capacity":"full","method":"signed_paper",
                  "at":"2026-11-20T09:00:00Z"}],
 "child_view":null,"language":"pt","interpreter":false,"notice":"notice-pt-3",
 "provisions":[
  {"effect":"permit","sections":["identity","risk","health","needs"],
   "recipients":[{"member":"uls"}],"purposes":["health_care","support"],
   "direction":"both","redisclosure":"forbidden",
   "legal_basis":["A6-1-e","A9-2-h"],"from":null,"until":null},
  {"effect":"permit","sections":["risk"],"recipients":[{"kind":"police"}],
   "purposes":["safety"],"direction":"send","redisclosure":"forbidden",
   "legal_basis":["LED-8"],"from":null,"until":null}],
 "exclusions":[{"member":"cpcj","reason":"fear_of_harm"}],
 "statistics":"given","retention":"P5Y"})";

// RFC 8037 section 2.
Json ToJwk(const VerifyKey& key) {
  return {{"kty", "OKP"},
          {"crv", "Ed25519"},
          {"x", ToBase64Url(key.bytes())},
          {"kid", ToBase64Url(key.Thumbprint().bytes())}};
}

// A network of three members and its first charter.
struct Network {
  absl::Time now = TimeFromUnix(UnixSeconds(SystemClock().Now()));
  TestCommittee committee;
  TestMember ong{"ong", MemberKind::kVictimSupport};
  TestMember uls{"uls", MemberKind::kHealth};
  TestMember cpcj{"cpcj", MemberKind::kChildProtection};
  AcceptedCharter charter = Found();

  AcceptedCharter Found() const {
    Charter draft = committee.Draft(
        "pt-exemplo",
        VALUE_OF(NoteVerifier::Create("pt-exemplo", NoteKeyType::kEd25519,
                                      SigningKey::Generate().verify_key())),
        {ong.AsActive(now), uls.AsActive(now), cpcj.AsActive(now)}, now);
    draft.purposes = {"support", "health_care", "safety"};
    draft.bases = {"A6-1-d", "A6-1-e", "A9-2-h", "LED-8"};
    const std::string document = committee.Sign(draft);
    return VALUE_OF(AcceptFirstCharter(document, Sha256(document), std::nullopt));
  }
};

// A compact JWS with what checks it. The payload is what our code meant to
// sign.
Json EmitJws(const std::string& token, absl::string_view typ,
             const SigningKey& key) {
  return {{"token", token},
          {"typ", std::string(typ)},
          {"jwk", ToJwk(key.verify_key())},
          {"payload", VALUE_OF(PeekJwsPayload(token, token.size()))}};
}

Json EmitCharter(const AcceptedCharter& charter) {
  Json keys = Json::array();
  for (const GovernanceKey& key : charter.charter.governance)
    keys.push_back(ToJwk(key.key));
  return {{"document", charter.document},
          {"typ", kCharterTyp},
          {"signers", charter.charter.governance_threshold},
          {"keys", keys}};
}

// An SD-JWT with the disclosures that travel and those that stay.
struct Emitted {
  std::string jwt;
  std::vector<Disclosure> disclosed;
  Json json = {};

  std::string text() const { return SerializeSdJwt(jwt, disclosed); }
};

Json EmitSdJwt(const std::string& jwt, const std::vector<Disclosure>& disclosed,
               const std::vector<Disclosure>& withheld, absl::string_view typ,
               const SigningKey& key) {
  return {{"jwt", jwt},
          {"typ", std::string(typ)},
          {"jwk", ToJwk(key.verify_key())},
          {"disclosed", disclosed},
          {"withheld", withheld},
          {"serialized", SerializeSdJwt(jwt, disclosed)}};
}

// Identity, risk and needs are disclosed; health and the summaries are
// withheld, all other slots are decoys.
Emitted EmitReferral(const Network& network) {
  const ReferralForm form = VALUE_OF(ParseReferralForm(kReferralForm));
  const auto values = SlotValues(form.sections, network.now);
  const ReferralClaims claims{network.charter.network_id,
                              network.ong.id(),
                              network.now,
                              EventId::New(),
                              CaseId::New(),
                              ReferralId::New(),
                              Priority::kUrgent,
                              std::nullopt};
  const IssuedReferral issued =
      VALUE_OF(IssueReferral(claims, values, network.ong.signing()));
  Emitted emitted{issued.jwt, {}, {}};
  std::vector<Disclosure> withheld;
  Json shown = Json::object();
  for (const auto& [slot, disclosure] : issued.disclosures) {
    const bool goes = slot == Slot{Section::kIdentity} ||
                      slot == Slot{Section::kRisk} ||
                      slot == Slot{Section::kNeeds};
    (goes ? emitted.disclosed : withheld).push_back(disclosure);
    if (goes) shown[NameOf(slot)] = values.at(slot);
  }
  emitted.json = EmitSdJwt(issued.jwt, emitted.disclosed, withheld,
                           kReferralTyp, network.ong.signing());
  emitted.json["slots"] = SlotNames();
  emitted.json["values"] = shown;
  return emitted;
}

// What the hospital is shown: its own permit of two, and no exclusion.
Emitted EmitConsent(const Network& network) {
  const ConsentForm form = VALUE_OF(ParseConsentForm(kConsentForm));
  const GrantContext context{network.charter.network_id,
                             network.ong.id(),
                             network.now,
                             EventId::New(),
                             CaseId::New(),
                             GrantId::New(),
                             OfficerId::New(),
                             Sha256("notice-pt-3"),
                             std::nullopt,
                             std::nullopt};
  const Grant grant = VALUE_OF(IssueGrant(
      form, context, network.charter.charter, network.ong.signing()));
  Emitted emitted{grant.jwt,
                  DisclosuresFor(grant, network.uls.id(), network.uls.kind()),
                  {}};
  std::vector<Disclosure> withheld;
  for (const Disclosure& disclosure : grant.disclosures())
    if (std::find(emitted.disclosed.begin(), emitted.disclosed.end(),
                  disclosure) == emitted.disclosed.end())
      withheld.push_back(disclosure);
  emitted.json = EmitSdJwt(grant.jwt, emitted.disclosed, withheld, kGrantTyp,
                           network.ong.signing());
  return emitted;
}

// The referral and the consent on their way to the hospital.
struct Sent {
  Envelope envelope;
  Json json;
};

Sent EmitEnvelope(Network& network, const Emitted& referral,
                  const Emitted& consent) {
  Payload payload{.case_id = CaseId::New(), .event_id = EventId::New()};
  payload.kind = EventKind::kReferral;
  payload.purpose = "health_care";
  payload.salt = RandomArray<32>();
  payload.salt2 = RandomArray<32>();
  payload.document = referral.jwt;
  payload.disclosures = referral.disclosed;
  payload.grants = {consent.text()};
  const SecretBuffer plain = VALUE_OF(EncodePayload(payload));
  Bytes padded = ToBytes(plain.Expose());
  padded.push_back(0x80);  // as sodium_pad does
  padded.resize(PaddedSize(plain.size()));

  Envelope envelope =
      network.ong.EnvelopeTo(network.uls, network.charter, network.now);
  envelope.header.anchor = AnchorOf(payload);
  envelope.header.ciphertext_bytes = CiphertextSize(plain.size());
  envelope.header_bytes = EncodeHeader(envelope.header);
  Sealed sealed = VALUE_OF(
      Seal(network.uls.prekey(), SealInfo(envelope.header_bytes), padded));
  envelope.enc = std::move(sealed.enc);
  envelope.ciphertext = std::move(sealed.ciphertext);
  network.ong.SignAgain(envelope);

  Json json = {
      {"private_key", ToBase64Url(network.uls.opening_key().secret().Expose())},
      {"public_key", ToBase64Url(network.uls.prekey().bytes())},
      {"header", ToBase64Url(envelope.header_bytes)},
      {"enc", ToBase64Url(envelope.enc)},
      {"ciphertext", ToBase64Url(envelope.ciphertext)},
      {"signature", ToBase64Url(envelope.signature)},
      {"jwk", ToJwk(network.ong.signing().verify_key())},
      {"info", ToBase64Url(SealInfo(envelope.header_bytes))},
      {"plaintext", ToBase64Url(padded)},
      {"payload_bytes", plain.size()}};
  return {std::move(envelope), std::move(json)};
}

}  // namespace

Json EmitDocuments() {
  Network network;
  const std::string key_event =
      network.ong.NewSigningKey(network.charter, network.now);
  network.uls.NewSigningKey(network.charter, network.now);
  network.uls.NewPrekey(network.charter, network.now);
  const Emitted referral = EmitReferral(network);
  const Emitted consent = EmitConsent(network);
  const Sent sent = EmitEnvelope(network, referral, consent);
  const std::string receipt = network.uls.ReceiptFor(
      sent.envelope, LeafIndex(7), ReceiptKind::kDelivered, network.charter,
      network.now);
  return {
      {"key_event", EmitJws(key_event, kKeyEventTyp, network.ong.identity())},
      {"receipt", EmitJws(receipt, kReceiptTyp, network.uls.signing())},
      {"charter", EmitCharter(network.charter)},
      {"referral", referral.json},
      {"consent", consent.json},
      {"envelope", sent.json}};
}

}  // namespace amparo

#include "proto/content/case_event.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "proto/content/claims.h"
#include "proto/content/strict_reader.h"
#include "proto/envelope/limits.h"

namespace amparo {
namespace {

// ---- encoding

Json OrNull(const std::optional<Digest>& digest) {
  return digest ? Json(digest->ToString()) : Json(nullptr);
}

Json EncodeGrant(const Grant& grant) {
  return {{"jwt", grant.jwt}, {"disclosures", grant.disclosures()}};
}

Json Encode(const DocumentSent& body) {
  Json slots = Json::object(), grants = Json::array(), bases = Json::array();
  for (const auto& [slot, authority] : body.slots)
    slots[NameOf(slot)] = authority;
  for (const Grant& grant : body.grants) grants.push_back(EncodeGrant(grant));
  for (const WithoutConsent& basis : body.bases) bases.push_back(basis.token);
  Json went_before = Json::object();
  for (const auto& [slot, leaf] : body.went_before)
    went_before[NameOf(slot)] = leaf.value();
  return {{"type", "document"},
          {"kind", std::string(NameOf(body.kind))},
          {"referral", body.referral_id.text()},
          {"document", body.document.ToString()},
          {"prev", OrNull(body.prev)},
          {"priority", std::string(NameOf(body.priority))},
          {"purpose", body.purpose},
          {"first_contact", body.first_contact},
          {"slots", std::move(slots)},
          {"grants", std::move(grants)},
          {"bases", std::move(bases)},
          {"also_under", body.also_under},
          {"went_before", std::move(went_before)},
          {"closed", EncodeNames(body.closed)}};
}

Json Encode(const Granted& body) {
  return {{"type", "granted"},
          {"grant", EncodeGrant(body.grant)},
          {"withdrawn", EncodeNames(body.withdrawn)}};
}

Json Encode(const Revoked& body) {
  return {{"type", "revoked"},
          {"grant", body.grant.ToString()},
          {"revoked_by", body.revoked_by},
          {"withdrawn", EncodeNames(body.withdrawn)}};
}

Json Encode(const Answered& body) {
  return {{"type", "answered"},
          {"kind", std::string(NameOf(body.kind))},
          {"referral", body.referral_id.text()},
          {"code", body.code}};
}

Json Encode(const Erased& body) {
  return {{"type", "erased"},
          {"grant", body.grant.ToString()},
          {"answer", std::string(NameOf(body.answer))},
          {"slots", EncodeNames(body.slots)},
          {"legal_basis", body.legal_basis}};
}

Json Encode(const Acknowledged& body) {
  return {{"type", "acknowledged"},
          {"kind", std::string(NameOf(body.kind))},
          {"envelope", body.envelope.ToString()}};
}

Json Encode(const DeliveryNoted& body) {
  return {{"type", "delivery"},
          {"event", body.event_id.text()},
          {"delivery", std::string(NameOf(body.delivery))},
          {"code", body.code}};
}

// ---- decoding: of what this agent stored, so faults are its own

// As many consents as one institution may have for one case, at the least.
constexpr size_t kOwnAuthoritiesMax = 1 << 20;

EventKind ReadKind(StrictReader& reader) {
  const auto kind = ParseEventKind(reader.Text("kind"));
  if (!kind) reader.Fail("kind", "a kind of event");
  return kind.value_or(EventKind::kHeartbeat);
}

absl::StatusOr<Grant> ReadGrant(StrictReader& reader) {
  const std::string jwt = reader.Text("jwt", kGrantBytesMax);
  const std::vector<std::string> disclosures = reader.Texts("disclosures");
  RETURN_IF_ERROR(reader.status());
  return LoadGrant(jwt, disclosures);
}

absl::StatusOr<EventBody> ReadDocument(StrictReader& reader) {
  const auto referral = reader.IdAt<ReferralId>("referral", "a referral's id");
  const auto priority = ParsePriority(reader.Text("priority"));
  if (!priority) reader.Fail("priority", "a priority");
  RETURN_IF_ERROR(reader.status());
  DocumentSent body{.kind = ReadKind(reader),
                    .referral_id = *referral,
                    .document = reader.Hash("document"),
                    .prev = reader.OptionalHash("prev"),
                    .priority = *priority,
                    .purpose = reader.Text("purpose"),
                    .first_contact = reader.Bool("first_contact")};
  StrictReader slots = reader.Object("slots");
  for (const Slot slot : AllSlots())
    if (slots.Has(NameOf(slot)))
      body.slots.emplace(slot, slots.Text(NameOf(slot)));
  absl::Status fault;
  reader.ForEach("grants", [&](StrictReader& item) {
    absl::StatusOr<Grant> grant = ReadGrant(item);
    if (grant.ok())
      body.grants.push_back(*std::move(grant));
    else
      fault.Update(grant.status());
  });
  if (reader.Has("also_under"))
    for (const std::string& authority :
         reader.Texts("also_under", kOwnAuthoritiesMax))
      body.also_under.insert(authority);
  if (reader.Has("went_before")) {
    StrictReader leaves = reader.Object("went_before");
    for (const Slot slot : AllSlots())
      if (leaves.Has(NameOf(slot)))
        body.went_before.emplace(slot,
                                 LeafIndex(static_cast<uint64_t>(
                                     leaves.Int(NameOf(slot), 0, INT64_MAX))));
  }
  if (reader.Has("closed")) body.closed = ReadSlotNames(reader, "closed");
  for (const std::string& token : reader.Texts("bases")) {
    ASSIGN_OR_RETURN(WithoutConsent basis, LoadWithoutConsent(token));
    body.bases.push_back(std::move(basis));
  }
  RETURN_IF_ERROR(fault);
  RETURN_IF_ERROR(reader.status());
  return body;
}

absl::StatusOr<EventBody> ReadBody(StrictReader& reader) {
  const std::string type = reader.Text("type");
  if (type == "document") return ReadDocument(reader);
  if (type == "granted") {
    StrictReader part = reader.Object("grant");
    ASSIGN_OR_RETURN(Grant grant, ReadGrant(part));
    return Granted{std::move(grant), ReadSlotNames(reader, "withdrawn")};
  }
  if (type == "revoked")
    return Revoked{reader.Hash("grant"), reader.Text("revoked_by"),
                   ReadSlotNames(reader, "withdrawn")};
  if (type == "answered") {
    const auto referral =
        reader.IdAt<ReferralId>("referral", "a referral's id");
    RETURN_IF_ERROR(reader.status());
    return Answered{ReadKind(reader), *referral, reader.Text("code")};
  }
  if (type == "erased") {
    const auto answer = ParseErasureAnswer(reader.Text("answer"));
    if (!answer) reader.Fail("answer", "deleted or kept");
    return Erased{reader.Hash("grant"), answer.value_or(ErasureAnswer::kKept),
                  ReadSlotNames(reader, "slots"), reader.Text("legal_basis")};
  }
  if (type == "acknowledged")
    return Acknowledged{ReadKind(reader), reader.Hash("envelope")};
  if (type == "delivery") {
    const auto event = reader.IdAt<EventId>("event", "an event's id");
    const auto delivery = ParseDelivery(reader.Text("delivery"));
    if (!delivery) reader.Fail("delivery", "a delivery");
    RETURN_IF_ERROR(reader.status());
    return DeliveryNoted{*event, *delivery, reader.Text("code")};
  }
  reader.Fail("type", "a type of event");
  return reader.status();
}

struct KindName {
  absl::string_view operator()(const DocumentSent& b) const {
    return NameOf(b.kind);
  }
  absl::string_view operator()(const Granted&) const {
    return NameOf(EventKind::kGranted);
  }
  absl::string_view operator()(const Revoked&) const {
    return NameOf(EventKind::kRevoked);
  }
  absl::string_view operator()(const Answered& b) const {
    return NameOf(b.kind);
  }
  absl::string_view operator()(const Erased&) const {
    return NameOf(EventKind::kErased);
  }
  absl::string_view operator()(const Acknowledged& b) const {
    return NameOf(b.kind);
  }
  absl::string_view operator()(const DeliveryNoted&) const { return ""; }
};

}  // namespace

bool SaysTheSame(const CaseEvent& first, const CaseEvent& second) {
  struct About {
    const EventBody& other;

    bool operator()(const DocumentSent& body) const {
      const auto* also = std::get_if<DocumentSent>(&other);
      return also != nullptr && also->kind == body.kind &&
             also->referral_id == body.referral_id &&
             also->document == body.document;
    }
    bool operator()(const Granted& body) const {
      const auto* also = std::get_if<Granted>(&other);
      return also != nullptr && also->grant.digest == body.grant.digest;
    }
    bool operator()(const Revoked& body) const {
      const auto* also = std::get_if<Revoked>(&other);
      return also != nullptr && also->grant == body.grant;
    }
    bool operator()(const Answered& body) const {
      const auto* also = std::get_if<Answered>(&other);
      return also != nullptr && also->kind == body.kind &&
             also->referral_id == body.referral_id && also->code == body.code;
    }
    bool operator()(const Erased& body) const {
      const auto* also = std::get_if<Erased>(&other);
      return also != nullptr && also->grant == body.grant &&
             also->answer == body.answer && also->slots == body.slots;
    }
    bool operator()(const Acknowledged& body) const {
      const auto* also = std::get_if<Acknowledged>(&other);
      return also != nullptr && also->kind == body.kind &&
             also->envelope == body.envelope;
    }
    bool operator()(const DeliveryNoted&) const { return false; }
  };
  return first.id == second.id && first.case_id == second.case_id &&
         first.from == second.from && first.to == second.to &&
         std::visit(About{second.body}, first.body);
}

absl::string_view KindNameOf(const CaseEvent& event) {
  return std::visit(KindName{}, event.body);
}

bool CaseEvent::WentIn(const Digest& digest) const {
  return envelope == digest ||
         std::find(earlier.begin(), earlier.end(), digest) != earlier.end();
}

CaseEvent InPlaceOf(const CaseEvent& stored, CaseEvent again,
                    const MemberId& self) {
  again.first_leaf.reset();
  const std::optional<LeafIndex> place = stored.Place();
  if (place && (!again.leaf || *place < *again.leaf)) {
    again.first_leaf = place;
    again.at = stored.at;
  }
  again.earlier = stored.earlier;
  if (stored.envelope && stored.envelope != again.envelope &&
      again.earlier.size() < CaseEvent::kEarlierMax &&
      std::find(again.earlier.begin(), again.earlier.end(), *stored.envelope) ==
          again.earlier.end())
    again.earlier.push_back(*stored.envelope);
  auto* next = std::get_if<DocumentSent>(&again.body);
  const auto* before = std::get_if<DocumentSent>(&stored.body);
  if (next == nullptr || before == nullptr) return again;
  for (const Grant& grant : before->grants)
    if (std::none_of(
            next->grants.begin(), next->grants.end(),
            [&](const Grant& one) { return one.digest == grant.digest; }))
      next->grants.push_back(grant);
  for (const WithoutConsent& basis : before->bases)
    if (std::none_of(
            next->bases.begin(), next->bases.end(),
            [&](const WithoutConsent& one) { return one.id == basis.id; }))
      next->bases.push_back(basis);
  if (stored.from != self) return again;
  next->also_under.insert(before->also_under.begin(), before->also_under.end());
  if (stored.HasLeft())
    for (const auto& [slot, authority] : before->slots) {
      const auto now = next->slots.find(slot);
      if (now == next->slots.end() || now->second != authority)
        next->also_under.insert(authority);
    }
  return again;
}

Brought BroughtBy(const CaseEvent& stored, const CaseEvent& again) {
  const auto* next = std::get_if<DocumentSent>(&again.body);
  const auto* before = std::get_if<DocumentSent>(&stored.body);
  if (next == nullptr || before == nullptr) return {};
  std::set<Digest> grants;
  std::set<WithoutConsentId> bases;
  for (const Grant& grant : before->grants) grants.insert(grant.digest);
  for (const WithoutConsent& basis : before->bases) bases.insert(basis.id);
  const size_t had = grants.size() + bases.size();
  for (const Grant& grant : next->grants) grants.insert(grant.digest);
  for (const WithoutConsent& basis : next->bases) bases.insert(basis.id);
  const size_t in_all = grants.size() + bases.size();
  return {in_all - had, in_all};
}

Json EncodeCaseEvent(const CaseEvent& event) {
  Json earlier = Json::array();
  for (const Digest& digest : event.earlier)
    earlier.push_back(digest.ToString());
  return {
      {"id", event.id.text()},
      {"case", event.case_id.text()},
      {"from", event.from.text()},
      {"to", event.to.text()},
      {"at", UnixSeconds(event.at)},
      {"leaf", event.leaf ? Json(static_cast<int64_t>(event.leaf->value()))
                          : Json(nullptr)},
      {"envelope", OrNull(event.envelope)},
      {"first_leaf", event.first_leaf
                         ? Json(static_cast<int64_t>(event.first_leaf->value()))
                         : Json(nullptr)},
      {"earlier", std::move(earlier)},
      {"body",
       std::visit([](const auto& body) { return Encode(body); }, event.body)}};
}

absl::StatusOr<CaseEvent> DecodeCaseEvent(const Json& json) {
  constexpr char kStorage[] = "storage";
  StrictReader reader(json, kStorage);
  const auto id = reader.IdAt<EventId>("id", "an event's id");
  const auto case_id = reader.IdAt<CaseId>("case", "a case's id");
  const auto from = reader.Member("from");
  const auto to = reader.Member("to");
  const absl::Time at = reader.UnixTime("at");
  const auto read_leaf = [&reader](const char* key) {
    std::optional<LeafIndex> leaf;
    if (reader.Has(key))
      leaf = LeafIndex(static_cast<uint64_t>(reader.Int(key, 0, INT64_MAX)));
    return leaf;
  };
  const std::optional<LeafIndex> leaf = read_leaf("leaf");
  const std::optional<Digest> envelope = reader.OptionalHash("envelope");
  const std::optional<LeafIndex> first_leaf = read_leaf("first_leaf");
  std::vector<Digest> earlier;
  if (reader.Has("earlier"))
    for (const std::string& text : reader.Texts("earlier")) {
      ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(text));
      earlier.push_back(digest);
    }
  StrictReader part = reader.Object("body");
  RETURN_IF_ERROR(reader.status());
  ASSIGN_OR_RETURN(EventBody body, ReadBody(part));
  RETURN_IF_ERROR(reader.status());
  return CaseEvent{
      *id,  *case_id, *from,           *to,        at,
      leaf, envelope, std::move(body), first_leaf, std::move(earlier)};
}

}  // namespace amparo

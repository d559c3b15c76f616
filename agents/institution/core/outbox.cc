#include "agents/institution/core/outbox.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/envelope/codec.h"

namespace amparo::agent {
namespace {

constexpr char kDraftPrefix[] = "out/draft/";
constexpr char kUnderWayPrefix[] = "out/under-way/";
constexpr char kHeadPrefix[] = "out/head/";
constexpr char kRecallPrefix[] = "out/recall/";
constexpr char kSentPrefix[] = "out/sent/";
constexpr char kLinkPrefix[] = "out/link/";
constexpr char kOfPrefix[] = "out/of/";  // events: their envelopes
constexpr char kWithdrawnPrefix[] = "out/withdrawn/";
constexpr char kCancelPrefix[] = "out/cancel/";

std::string DraftKey(uint64_t seq) {
  Bytes suffix;
  AppendU64(suffix, seq);
  return absl::StrCat(kDraftPrefix, AsText(suffix));
}

std::string DigestKey(absl::string_view prefix, const Digest& digest) {
  return absl::StrCat(prefix, ToHex(digest.bytes()));
}

// Of an event on its way to one recipient.
std::string WayKey(absl::string_view prefix, const EventId& event,
                   const MemberId& recipient) {
  return absl::StrCat(prefix, event.text(), "/", recipient.text(), "/");
}

std::string ChainPrefix(const MemberId& recipient, const Digest& kid) {
  return absl::StrCat(kLinkPrefix, recipient.text(), "/", ToHex(kid.bytes()), "/");
}

// In the order of the links.
std::string LinkKey(const MemberId& recipient, const Digest& kid, uint64_t link_seq) {
  Bytes suffix;
  AppendU64(suffix, link_seq);
  return absl::StrCat(ChainPrefix(recipient, kid), AsText(suffix));
}

Json EncodeDraft(const Draft& draft) {
  Json json;
  json["seq"] = draft.seq;
  json["recipient"] = draft.recipient.text();
  json["kind"] = std::string(NameOf(draft.kind));
  json["case"] = draft.case_id ? draft.case_id->text() : "";
  json["event"] = draft.event_id.text();
  json["sections"] = Json::array();
  for (const Section section : draft.sections)
    json["sections"].push_back(std::string(NameOf(section)));
  json["content_of"] = draft.content_of ? draft.content_of->text() : "";
  json["document"] = draft.document;
  json["attempts"] = draft.attempts;
  if (draft.again) json["again"] = true;
  return json;
}

// "" is none.
template <typename Id>
absl::StatusOr<std::optional<Id>> OptionalId(const Json& json, const char* key) {
  ASSIGN_OR_RETURN(const std::string text, JsonString(json, key));
  if (text.empty()) return std::optional<Id>();
  ASSIGN_OR_RETURN(Id id, Id::Parse(text));
  return std::optional<Id>(std::move(id));
}

absl::StatusOr<EventKind> KindOf(const Json& json) {
  ASSIGN_OR_RETURN(const std::string name, JsonString(json, "kind"));
  const auto kind = ParseEventKind(name);
  if (!kind) return absl::DataLossError("a stored draft of an unknown kind");
  return *kind;
}

absl::StatusOr<Draft> DecodeDraft(const Json& json) {
  ASSIGN_OR_RETURN(const std::string recipient_text, JsonString(json, "recipient"));
  ASSIGN_OR_RETURN(MemberId recipient, MemberId::Parse(recipient_text));
  ASSIGN_OR_RETURN(const EventKind kind, KindOf(json));
  ASSIGN_OR_RETURN(auto case_id, OptionalId<CaseId>(json, "case"));
  ASSIGN_OR_RETURN(const std::string event_text, JsonString(json, "event"));
  ASSIGN_OR_RETURN(EventId event_id, EventId::Parse(event_text));
  ASSIGN_OR_RETURN(auto content_of, OptionalId<EventId>(json, "content_of"));
  ASSIGN_OR_RETURN(std::string document, JsonString(json, "document"));
  ASSIGN_OR_RETURN(const int64_t seq, JsonInt(json, "seq"));
  ASSIGN_OR_RETURN(const int64_t attempts, JsonInt(json, "attempts"));
  Draft draft{static_cast<uint64_t>(seq), std::move(recipient), kind, case_id,
              event_id, {}, content_of, std::move(document),
              static_cast<uint32_t>(attempts)};
  for (const Json& name : json.at("sections")) {
    ASSIGN_OR_RETURN(const Section section, ParseSection(name.get<std::string>()));
    draft.sections.insert(section);
  }
  draft.again = json.value("again", false);
  return draft;
}

Json EncodeHead(const LinkHead& head) {
  Json json;
  json["kid"] = head.kid.ToString();
  json["seq"] = head.seq;
  json["digest"] = head.digest.ToString();
  return json;
}

absl::StatusOr<Sent> DecodeSent(const Json& json) {
  ASSIGN_OR_RETURN(Draft draft, DecodeDraft(json.at("draft")));
  ASSIGN_OR_RETURN(const std::string envelope_text, JsonString(json, "envelope"));
  ASSIGN_OR_RETURN(EnvelopeId envelope_id, EnvelopeId::Parse(envelope_text));
  ASSIGN_OR_RETURN(const std::string kid_text, JsonString(json, "kid"));
  ASSIGN_OR_RETURN(const Digest kid, Digest::Parse(kid_text));
  ASSIGN_OR_RETURN(const int64_t link_seq, JsonInt(json, "link_seq"));
  ASSIGN_OR_RETURN(const int64_t leaf, JsonInt(json, "leaf"));
  return Sent{std::move(draft),
              std::move(envelope_id),
              kid,
              static_cast<uint64_t>(link_seq),
              LeafIndex(static_cast<uint64_t>(leaf)),
              TimeFromUnix(json.value("expires", int64_t{0})),
              json.value("again", false),
              json.value("undecryptable", false)};
}

// The row under `key`, parsed; NOT_FOUND when there is none.
absl::StatusOr<Json> ReadRow(const KeyValue& kv, const std::string& key) {
  ASSIGN_OR_RETURN(const Bytes bytes, kv.Get(key));
  return ParseJson(AsText(bytes));
}

void PutRow(Batch& rows, const std::string& key, const Json& json) {
  rows.Put(key, AsBytes(DumpJson(json)));
}

// False for what this agent sends by itself when a peer's mail asks for it.
bool IsOfAnOfficer(const Draft& draft) {
  return !draft.again && !IsLinkEvent(draft.kind) &&
         draft.kind != EventKind::kErased;
}

absl::StatusOr<bool> HasRow(const KeyValue& kv, const std::string& key) {
  const absl::Status found = kv.Get(key).status();
  if (absl::IsNotFound(found)) return false;
  RETURN_IF_ERROR(found);
  return true;
}

std::string CancelKey(const ReferralId& referral, const MemberId& recipient) {
  return absl::StrCat(kCancelPrefix, referral.text(), "/", recipient.text());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Outbox>> Outbox::Open(KeyValue& kv,
                                                     size_t drafts_max) {
  std::unique_ptr<Outbox> outbox(new Outbox(kv, drafts_max));
  ASSIGN_OR_RETURN(const std::vector<Draft> drafts, outbox->Drafts());
  // Only the order among waiting drafts matters, so numbers may come again.
  if (!drafts.empty()) outbox->next_seq_ = drafts.back().seq + 1;
  return outbox;
}

void Outbox::Add(Draft draft, Batch& rows) {
  draft.seq = next_seq_++;
  PutRow(rows, DraftKey(draft.seq), EncodeDraft(draft));
}

void Outbox::Remove(const Draft& draft, Batch& rows) const {
  rows.Delete(DraftKey(draft.seq));
}

absl::StatusOr<std::vector<Draft>> Outbox::Drafts() const {
  std::vector<Draft> drafts;
  absl::Status decoded;
  RETURN_IF_ERROR(kv_.Scan(kDraftPrefix, "", [&](absl::string_view, ByteView value) {
    const auto json = ParseJson(AsText(value));
    decoded = json.status();
    if (!decoded.ok()) return false;
    auto draft = DecodeDraft(*json);
    decoded = draft.status();
    if (decoded.ok()) drafts.push_back(*std::move(draft));
    return decoded.ok();
  }));
  RETURN_IF_ERROR(decoded);
  return drafts;
}

absl::StatusOr<bool> Outbox::Waits(const Draft& draft) const {
  const absl::Status found = kv_.Get(DraftKey(draft.seq)).status();
  if (absl::IsNotFound(found)) return false;
  RETURN_IF_ERROR(found);
  return true;
}

size_t Outbox::size() const {
  size_t count = 0;
  const absl::Status scanned =
      kv_.Scan(kDraftPrefix, "", [&](absl::string_view, ByteView) {
        ++count;
        return true;
      });
  return scanned.ok() ? count : 0;
}

absl::StatusOr<std::optional<InFlight>> Outbox::UnderWay(
    const MemberId& recipient) const {
  const auto json = ReadRow(kv_, kUnderWayPrefix + recipient.text());
  if (absl::IsNotFound(json.status())) return std::optional<InFlight>();
  RETURN_IF_ERROR(json.status());
  ASSIGN_OR_RETURN(Draft draft, DecodeDraft(json->at("draft")));
  ASSIGN_OR_RETURN(const std::string text, JsonString(*json, "envelope"));
  ASSIGN_OR_RETURN(const Bytes bytes, FromBase64Url(text));
  ASSIGN_OR_RETURN(Envelope envelope, DecodeEnvelope(bytes));
  return std::optional<InFlight>(InFlight{std::move(draft), std::move(envelope)});
}

absl::StatusOr<bool> Outbox::IsUnderWay(const Digest& envelope) const {
  std::vector<MemberId> recipients;
  absl::Status parsed;
  RETURN_IF_ERROR(
      kv_.Scan(kUnderWayPrefix, "", [&](absl::string_view key, ByteView) {
        key.remove_prefix(sizeof kUnderWayPrefix - 1);
        auto recipient = MemberId::Parse(key);
        parsed = recipient.status();
        if (parsed.ok()) recipients.push_back(*std::move(recipient));
        return parsed.ok();
      }));
  RETURN_IF_ERROR(parsed);
  for (const MemberId& recipient : recipients) {
    ASSIGN_OR_RETURN(const auto under_way, UnderWay(recipient));
    if (under_way && EnvelopeDigest(under_way->envelope) == envelope)
      return true;
  }
  return false;
}

void Outbox::PutUnderWay(const InFlight& in_flight, const LinkHead& head,
                         Batch& rows) const {
  Json json;
  json["draft"] = EncodeDraft(in_flight.draft);
  json["envelope"] = ToBase64Url(EncodeEnvelope(in_flight.envelope));
  PutRow(rows, kUnderWayPrefix + in_flight.draft.recipient.text(), json);
  PutRow(rows, kHeadPrefix + in_flight.draft.recipient.text(), EncodeHead(head));
}

void Outbox::ClearUnderWay(const MemberId& recipient, Batch& rows) const {
  rows.Delete(kUnderWayPrefix + recipient.text());
}

absl::StatusOr<std::optional<LinkHead>> Outbox::HeadOf(const MemberId& recipient) const {
  const auto json = ReadRow(kv_, kHeadPrefix + recipient.text());
  if (absl::IsNotFound(json.status())) return std::optional<LinkHead>();
  RETURN_IF_ERROR(json.status());
  LinkHead head;
  ASSIGN_OR_RETURN(const std::string kid, JsonString(*json, "kid"));
  ASSIGN_OR_RETURN(head.kid, Digest::Parse(kid));
  ASSIGN_OR_RETURN(const int64_t seq, JsonInt(*json, "seq"));
  head.seq = static_cast<uint64_t>(seq);
  ASSIGN_OR_RETURN(const std::string digest, JsonString(*json, "digest"));
  ASSIGN_OR_RETURN(head.digest, Digest::Parse(digest));
  return std::optional<LinkHead>(head);
}

absl::Status Outbox::CheckRoom() const {
  if (size() < drafts_max_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<Draft> drafts, Drafts());
  const auto of_officers =
      std::count_if(drafts.begin(), drafts.end(), IsOfAnOfficer);
  if (static_cast<size_t>(of_officers) < drafts_max_) return absl::OkStatus();
  return MakeError(absl::StatusCode::kResourceExhausted,
                   "too many messages wait to be sent",
                   {.code = "too_large",
                    .hint = "wait until the broker is reachable again",
                    .retryable = true});
}

void Outbox::AddRecall(const PendingRecall& recall, Batch& rows) const {
  rows.Put(DigestKey(kRecallPrefix, recall.envelope), AsBytes(recall.token));
}

void Outbox::RemoveRecall(const Digest& envelope, Batch& rows) const {
  rows.Delete(DigestKey(kRecallPrefix, envelope));
}

absl::StatusOr<std::vector<Outbox::PendingRecall>> Outbox::Recalls() const {
  std::vector<PendingRecall> recalls;
  absl::Status decoded;
  RETURN_IF_ERROR(
      kv_.Scan(kRecallPrefix, "", [&](absl::string_view key, ByteView value) {
        key.remove_prefix(sizeof kRecallPrefix - 1);
        const auto digest = Digest::Parse(absl::StrCat("sha256:", key));
        decoded = digest.status();
        if (decoded.ok()) recalls.push_back({*digest, ToText(value)});
        return decoded.ok();
      }));
  RETURN_IF_ERROR(decoded);
  return recalls;
}

void Outbox::PutWithdrawn(const EventId& event, const MemberId& recipient,
                          Batch& rows) const {
  rows.Put(WayKey(kWithdrawnPrefix, event, recipient), {});
}

absl::StatusOr<bool> Outbox::IsWithdrawn(const EventId& event,
                                         const MemberId& recipient) const {
  return HasRow(kv_, WayKey(kWithdrawnPrefix, event, recipient));
}

void Outbox::AddCancelDue(const CancelDue& due, Batch& rows) const {
  Json json;
  json["case"] = due.case_id.text();
  json["referral"] = due.referral.text();
  json["recipient"] = due.recipient.text();
  json["until"] = UnixSeconds(due.until);
  PutRow(rows, CancelKey(due.referral, due.recipient), json);
}

void Outbox::RemoveCancelDue(const CancelDue& due, Batch& rows) const {
  rows.Delete(CancelKey(due.referral, due.recipient));
}

absl::StatusOr<bool> Outbox::IsCancelDue(const ReferralId& referral,
                                         const MemberId& recipient) const {
  return HasRow(kv_, CancelKey(referral, recipient));
}

absl::StatusOr<std::vector<Outbox::CancelDue>> Outbox::CancelsDue() const {
  const auto decode = [](ByteView bytes) -> absl::StatusOr<CancelDue> {
    ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(bytes)));
    ASSIGN_OR_RETURN(const std::string case_text, JsonString(json, "case"));
    ASSIGN_OR_RETURN(const CaseId case_id, CaseId::Parse(case_text));
    ASSIGN_OR_RETURN(const std::string text, JsonString(json, "referral"));
    ASSIGN_OR_RETURN(const ReferralId referral, ReferralId::Parse(text));
    ASSIGN_OR_RETURN(const std::string member, JsonString(json, "recipient"));
    ASSIGN_OR_RETURN(const MemberId recipient, MemberId::Parse(member));
    ASSIGN_OR_RETURN(const int64_t until, JsonInt(json, "until"));
    return CancelDue{case_id, referral, recipient, TimeFromUnix(until)};
  };
  std::vector<CancelDue> due;
  absl::Status broken;
  RETURN_IF_ERROR(
      kv_.Scan(kCancelPrefix, "", [&](absl::string_view, ByteView value) {
        const auto one = decode(value);
        broken.Update(one.status());
        if (one.ok()) due.push_back(*one);
        return true;
      }));
  RETURN_IF_ERROR(broken);
  return due;
}

void Outbox::PutSent(const Digest& envelope, const Sent& sent, Batch& rows) const {
  Json json;
  json["draft"] = EncodeDraft(sent.draft);
  json["envelope"] = sent.envelope_id.text();
  json["kid"] = sent.sender_kid.ToString();
  json["link_seq"] = sent.link_seq;
  json["leaf"] = sent.leaf.value();
  json["expires"] = UnixSeconds(sent.expires);
  if (sent.undecryptable) json["undecryptable"] = true;
  if (sent.again) json["again"] = true;
  PutRow(rows, DigestKey(kSentPrefix, envelope), json);
  rows.Put(LinkKey(sent.draft.recipient, sent.sender_kid, sent.link_seq), envelope.bytes());
  rows.Put(DigestKey(WayKey(kOfPrefix, sent.draft.event_id, sent.draft.recipient),
                     envelope),
           {});
}

void Outbox::Supersede(const Digest& envelope, Sent sent, Batch& rows) const {
  sent.again = true;
  sent.draft.document.clear();
  PutSent(envelope, sent, rows);
  rows.Delete(LinkKey(sent.draft.recipient, sent.sender_kid, sent.link_seq));
}

absl::StatusOr<std::vector<Digest>> Outbox::EnvelopesOf(
    const EventId& event, const MemberId& recipient) const {
  const std::string prefix = WayKey(kOfPrefix, event, recipient);
  std::vector<Digest> envelopes;
  absl::Status parsed;
  RETURN_IF_ERROR(kv_.Scan(prefix, "", [&](absl::string_view key, ByteView) {
    const auto envelope =
        Digest::Parse(absl::StrCat("sha256:", key.substr(prefix.size())));
    parsed = envelope.status();
    if (parsed.ok()) envelopes.push_back(*envelope);
    return parsed.ok();
  }));
  RETURN_IF_ERROR(parsed);
  return envelopes;
}

absl::StatusOr<Sent> Outbox::SentAs(const Digest& envelope) const {
  ASSIGN_OR_RETURN(const Json json, ReadRow(kv_, DigestKey(kSentPrefix, envelope)));
  return DecodeSent(json);
}

absl::Status Outbox::VisitSent(
    const std::function<void(const Digest& envelope, Sent sent)>& visit) const {
  absl::Status decoded;
  RETURN_IF_ERROR(
      kv_.Scan(kSentPrefix, "", [&](absl::string_view key, ByteView value) {
        key.remove_prefix(sizeof kSentPrefix - 1);
        const auto envelope = Digest::Parse(absl::StrCat("sha256:", key));
        const auto json = ParseJson(AsText(value));
        auto sent = json.ok() ? DecodeSent(*json)
                              : absl::StatusOr<Sent>(json.status());
        decoded = envelope.status();
        decoded.Update(sent.status());
        if (decoded.ok()) visit(*envelope, *std::move(sent));
        return decoded.ok();
      }));
  return decoded;
}

absl::StatusOr<std::vector<Sent>> Outbox::SentIn(const MemberId& recipient,
                                                 const Digest& kid, uint64_t first,
                                                 uint64_t last,
                                                 size_t count_max) const {
  std::vector<Bytes> digests;
  const std::string end = LinkKey(recipient, kid, last);
  RETURN_IF_ERROR(kv_.Scan(ChainPrefix(recipient, kid), LinkKey(recipient, kid, first),
                           [&](absl::string_view key, ByteView digest) {
                             if (key > end) return false;
                             digests.push_back(ToBytes(digest));
                             return digests.size() < count_max;
                           }));
  std::vector<Sent> found;
  for (const Bytes& bytes : digests) {
    ASSIGN_OR_RETURN(const Digest envelope, Digest::FromBytes(bytes));
    ASSIGN_OR_RETURN(Sent sent, SentAs(envelope));
    found.push_back(std::move(sent));
  }
  return found;
}

}  // namespace amparo::agent

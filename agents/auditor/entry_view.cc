#include "agents/auditor/entry_view.h"

#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/printable.h"
#include "crypto/jws.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/log_entry.h"
#include "proto/network/suspension.h"

namespace amparo::auditor {
namespace {

constexpr size_t kTokenBytesMax = 64 << 10;

Json TokenFields(const std::string& token) {
  const absl::StatusOr<Json> payload = PeekJwsPayload(token, kTokenBytesMax);
  return payload.ok() ? *payload : Json("cannot be read");
}

// Text as somebody wrote it into the log; what is none, as base64url.
Json TextOf(const std::string& text) {
  const absl::StatusOr<Json> quoted =
      ParseJson(Json(text).dump(-1, ' ', true, Json::error_handler_t::ignore));
  if (quoted.ok() && *quoted == text) return text;
  return absl::StrCat("base64url:", ToBase64Url(AsBytes(text)));
}

void Add(Json& fields, const EnvelopeEvent& event) {
  const absl::StatusOr<Header> header = DecodeHeader(event.header);
  if (!header.ok()) return;
  fields["digest"] = EnvelopeDigest(event.header, event.body).ToString();
  fields["envelope_id"] = header->envelope_id.text();
  fields["from"] = header->sender.text();
  fields["from_key"] = header->sender_kid.ToString();
  fields["to"] = header->recipient.text();
  fields["to_prekey"] = header->prekey_id.ToString();
  fields["created"] = FormatUtc(header->created);
  fields["expires"] = FormatUtc(header->expires);
  fields["charter_hash"] = header->charter_hash.ToString();
  fields["link_seq"] = header->link_seq;
  fields["link_prev"] = header->link_prev.ToString();
  fields["anchor"] = header->anchor.ToString();
  fields["signature"] = ToBase64Url(event.signature);
}

void Add(Json& fields, const AnchorEvent& event) {
  const absl::StatusOr<SignedAnchor> anchor =
      MakeSignedAnchor(event.anchor, event.signature);
  if (!anchor.ok()) return;
  fields["from"] = anchor->anchor.member.text();
  fields["from_key"] = anchor->anchor.kid.ToString();
  fields["created"] = FormatUtc(anchor->anchor.created);
  fields["anchor"] = anchor->anchor.anchor.ToString();
}

void Add(Json& fields, const ReceiptEvent& event) {
  fields["token"] = TokenFields(event.token);
}
void Add(Json& fields, const RecallEvent& event) {
  fields["token"] = TokenFields(event.token);
}
void Add(Json& fields, const ErasureEvent& event) {
  fields["token"] = TokenFields(event.token);
}
void Add(Json& fields, const ExpiryEvent& event) {
  fields["digest"] = event.digest.ToString();
}
void Add(Json& fields, const AccessLogEvent& event) {
  fields["checkpoint"] = TextOf(event.note);
}

// False: the opening is not that of the commitment.
bool AddSealed(Json& fields, const CommitmentEntry& commitment,
               const EvidenceEntry& entry) {
  fields["event"] = "sealed";
  fields["commitment"] = commitment.commitment.ToString();
  if (entry.event.empty()) return true;
  fields["salt"] = ToBase64Url(entry.salt);
  const absl::StatusOr<AuditEvent> event = DecodeAuditEvent(entry.event);
  if (entry.salt.size() != kSaltBytes || !event.ok() ||
      LeafCommitment(entry.salt, entry.event) != commitment.commitment)
    return false;
  fields["event"] = std::string(NameOf(*event));
  std::visit([&](const auto& content) { Add(fields, content); }, *event);
  return true;
}

}  // namespace

EntryView ViewEntry(const EvidenceEntry& entry, const Checkpoint& checkpoint) {
  EntryView view;
  view.index = entry.index.value();
  view.fields = Json::object();
  view.included = VerifyInclusion(LeafHash(entry.entry), entry.index,
                                  checkpoint.size, entry.proof, checkpoint.root)
                      .ok();
  const absl::StatusOr<LogEntry> decoded = DecodeLogEntry(entry.entry);
  if (!decoded.ok()) return view;
  view.fits = true;
  view.fields["at"] = FormatUtc(decoded->time);
  view.fields["leaf_hash"] = LeafHash(entry.entry).ToString();
  if (const auto* charter = std::get_if<CharterEntry>(&decoded->content)) {
    view.fields["event"] = "charter";
    view.fields["version"] = charter->version;
    view.fields["hash"] = charter->hash.ToString();
  } else if (const auto* key = std::get_if<KeyEventEntry>(&decoded->content)) {
    view.fields["event"] = "key_event";
    view.fields["token"] = TokenFields(key->document);
  } else if (const auto* suspension =
                 std::get_if<SuspensionEntry>(&decoded->content)) {
    view.fields["event"] = "suspension";
    if (const auto said = PeekSuspension(suspension->document); said.ok()) {
      view.fields["member"] = said->member.text();
      view.fields["from"] = FormatUtc(said->from);
      view.fields["until"] = FormatUtc(said->until);
    }
    view.fields["document"] = TextOf(suspension->document);
  } else {
    view.fits = AddSealed(view.fields,
                          std::get<CommitmentEntry>(decoded->content), entry);
  }
  return view;
}

Json ToJson(const EntryView& view) {
  return {{"schema", "entry/1"},
          {"index", view.index},
          {"included", view.included},
          {"fits", view.fits},
          {"fields", view.fields}};
}

std::string ToText(const EntryView& view) {
  std::string text =
      absl::StrCat("Entry ", view.index,
                   view.included ? ", in the tree of the checkpoint\n"
                                 : ": NOT in the tree of the checkpoint\n");
  for (const auto& [name, value] : view.fields.items()) {
    if (value.is_object()) {
      absl::StrAppend(&text, "  ", name, "\n");
      for (const auto& [inner, said] : value.items())
        absl::StrAppendFormat(
            &text, "    %-14s %s\n", inner,
            said.is_string() ? said.get<std::string>() : DumpJson(said));
      continue;
    }
    absl::StrAppendFormat(
        &text, "  %-14s %s\n", name,
        value.is_string() ? value.get<std::string>() : DumpJson(value));
  }
  if (!view.fits)
    absl::StrAppend(&text,
                    "  It cannot be read, or its opening is not its "
                    "own.\n");
  absl::StrAppend(&text,
                  "Signatures are not checked here: amparo-audit replay "
                  "does, and prove for one entry.\n");
  return Printable(text);
}

}  // namespace amparo::auditor

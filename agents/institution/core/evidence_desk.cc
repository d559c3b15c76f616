#include "agents/institution/core/evidence_desk.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "agents/institution/core/access.h"
#include "agents/institution/core/anchors.h"
#include "agents/institution/core/case_opener.h"
#include "agents/institution/core/opening_book.h"
#include "agents/institution/core/section_reader.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/content/case_opening.h"
#include "proto/envelope/anchor.h"

namespace amparo::agent {
namespace {

absl::Status NotHere(absl::string_view what, const char* field) {
  return MakeError(absl::StatusCode::kNotFound, what,
                   {.code = "not_found", .field = field});
}

absl::Status NotYet(absl::string_view why, absl::string_view hint) {
  return MakeError(absl::StatusCode::kFailedPrecondition, why,
                   {.code = "invalid_state", .hint = std::string(hint)});
}

bool IsOf(const CaseEvent& event, const Digest& document,
          const MemberId& sender) {
  const auto* sent = std::get_if<DocumentSent>(&event.body);
  return sent != nullptr && sent->document == document && event.from == sender;
}

// A copy of the document with every section asked for, and its event.
struct Copy {
  const CaseEvent* event = nullptr;
  Content content;
};

absl::StatusOr<Copy> FindCopy(const Desk& desk, const Case& entry,
                              const PeerReferral& referral,
                              const Digest& document,
                              const std::set<Slot>& asked) {
  const bool own = referral.sender == desk.cases.self();
  for (const CaseEvent& event : entry.events) {
    if (!IsOf(event, document, referral.sender)) continue;
    // The sender keeps one copy, under the event that issued the document.
    if (own && std::get<DocumentSent>(event.body).kind == EventKind::kDisclosed)
      continue;
    auto content =
        desk.cases.ContentOf(entry.state.case_id, event.id, event.from);
    if (absl::IsNotFound(content.status())) continue;
    RETURN_IF_ERROR(content.status());
    if (std::all_of(asked.begin(), asked.end(), [&](Slot slot) {
          return content->disclosures.contains(slot);
        }))
      return Copy{&event, *std::move(content)};
  }
  return NotHere("no such section here", "section");
}

// What ties the document to its entry.
struct Tie {
  LeafIndex entry;
  Bytes salt;
  Digest manifest;  // zero for an anchor
};

absl::StatusOr<Tie> TieOf(const Desk& desk, const CaseEvent& event) {
  if (event.from == desk.cases.self()) {
    const auto anchor = LoggedAnchor(desk.kv, event.id);
    if (absl::IsNotFound(anchor.status()))
      return NotYet("the document is not in the log yet",
                    "wait until the referral is sent");
    RETURN_IF_ERROR(anchor.status());
    return Tie{anchor->leaf, ToBytes(anchor->anchor_salt), Digest()};
  }
  if (!event.envelope || !event.leaf)
    return NotYet("the document is not in the log yet", "");
  const auto opening = OpeningOf(desk.kv, *event.envelope);
  if (absl::IsNotFound(opening.status()))
    return NotYet("it came before this agent kept what ties it to the log",
                  "ask its sender, who can show its anchor");
  RETURN_IF_ERROR(opening.status());
  return Tie{*event.leaf, ToBytes(opening->salt), opening->manifest};
}

// When sections of what came with `sent` were last erased here; kNoTime: never.
absl::Time ErasedAt(const Case& entry, const MemberId& self,
                    const CaseEvent& sent) {
  absl::Time at = kNoTime;
  if (sent.from == self) return at;  // a sender keeps what it wrote
  const auto& slots = std::get<DocumentSent>(sent.body).slots;
  bool came = false;
  for (const CaseEvent& event : entry.events) {
    came |= event.id == sent.id && event.from == sent.from;
    const auto* erased = std::get_if<Erased>(&event.body);
    if (!came || erased == nullptr || event.from != self ||
        event.to != sent.from)
      continue;
    if (std::any_of(erased->slots.begin(), erased->slots.end(),
                    [&](const Slot& slot) { return slots.contains(slot); }))
      at = at == kNoTime ? event.at : std::max(at, event.at);
  }
  return at;
}

std::vector<std::string> NamesOf(const std::set<Slot>& slots) {
  std::vector<std::string> names;
  for (const Slot slot : slots) names.push_back(NameOf(slot));
  return names;
}

}  // namespace

absl::StatusOr<EvidenceDesk::DocumentFile> EvidenceDesk::Document(
    const Officer& officer, const DocumentRequest& request) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kGiveEvidence));
  ASSIGN_OR_RETURN(const std::set<Slot> asked, SlotsNamed(request.sections));
  ASSIGN_OR_RETURN(const VisibleReferral found,
                   FindReferral(desk_, officer, request.referral_id));
  const PeerReferral& referral = *found.entry->state.FindAll(found.key).front();
  const size_t count = referral.documents.size();
  const size_t version = request.version == 0 ? count : request.version;
  if (version == 0 || version > count)
    return NotHere("the referral has no such version", "version");
  RETURN_IF_ERROR(MayGiveOut(desk_, *found.entry, referral, asked));
  RETURN_IF_ERROR(desk_.access_log.Write({.officer = officer.id,
                                          .action = "evidence_document",
                                          .case_id = found.entry->state.case_id,
                                          .sections = NamesOf(asked)}));
  ASSIGN_OR_RETURN(const Copy copy,
                   FindCopy(desk_, *found.entry, referral,
                            referral.documents[version - 1], asked));
  ASSIGN_OR_RETURN(const Tie tie, TieOf(desk_, *copy.event));
  Json disclosures = Json::array();
  for (const Slot slot : asked)
    disclosures.push_back(copy.content.disclosures.at(slot));
  LogEvent("evidence_given", {{"kind", "document"}});
  return DocumentFile{
      .text = DumpJson({{"schema", "evidence_document/1"},
                        {"token", copy.content.document},
                        {"disclosures", std::move(disclosures)},
                        {"salt", ToBase64Url(tie.salt)},
                        {"manifest", tie.manifest.ToString()}}) +
              "\n",
      .referral_id = found.id(),
      .entry = tie.entry,
      .version = static_cast<uint32_t>(version),
      .sections = {asked.begin(), asked.end()}};
}

absl::StatusOr<EvidenceDesk::CaseFile> EvidenceDesk::OpenCase(
    const Officer& officer, absl::string_view id, bool with_sections) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kGiveEvidence));
  ASSIGN_OR_RETURN(const auto entry, VisibleCase(desk_, officer, id));
  std::set<Slot> slots;
  if (with_sections)
    for (const CaseEvent& event : entry->events)
      if (const auto* sent = std::get_if<DocumentSent>(&event.body))
        for (const auto& [slot, unused] : sent->slots) slots.insert(slot);
  RETURN_IF_ERROR(desk_.access_log.Write({.officer = officer.id,
                                          .action = "case_opening",
                                          .case_id = entry->state.case_id,
                                          .sections = NamesOf(slots)}));
  ASSIGN_OR_RETURN(const CaseOpening opening,
                   GatherOpening(desk_, *entry, with_sections));
  CaseFile file{.text = FormatCaseOpening(opening),
                .case_id = opening.case_id,
                .envelopes = static_cast<uint32_t>(opening.envelopes.size()),
                .unopened = static_cast<uint32_t>(opening.unopened.size())};
  std::map<LeafIndex, const CaseEvent*> sent;
  for (const CaseEvent& event : entry->events)
    if (event.leaf && std::holds_alternative<DocumentSent>(event.body))
      sent[*event.leaf] = &event;
  for (const OpenedEnvelope& envelope : opening.envelopes) {
    if (envelope.content) continue;
    ++file.withheld;
    const auto event = sent.find(envelope.leaf);
    const absl::Time at =
        event == sent.end()
            ? kNoTime
            : ErasedAt(*entry, desk_.cases.self(), *event->second);
    if (at == kNoTime) continue;
    ++file.erased;
    file.erased_at =
        file.erased_at == kNoTime ? at : std::max(file.erased_at, at);
  }
  if (file.text.size() > kCaseOpeningBytesMax / 2)
    return MakeError(absl::StatusCode::kResourceExhausted,
                     "the opened case does not fit one answer",
                     {.code = "too_large"});
  LogEvent("evidence_given", {{"kind", "case"}});
  return file;
}

}  // namespace amparo::agent

#include "agents/institution/core/document_step.h"

#include <utility>

#include "base/error.h"
#include "base/status.h"
#include "proto/content/payload.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

// Grants that may have to go along, each of the largest size: they are chosen
// when the envelope is sealed, which is later.
constexpr size_t kGrantsRoom = 2;

absl::Status FitsEnvelope(const CaseEvent& event, const DocumentSent& sent,
                          const Content& content) {
  Payload payload{.case_id = event.case_id,
                  .event_id = event.id,
                  .kind = sent.kind,
                  .purpose = sent.purpose,
                  .first_contact = sent.first_contact,
                  .document = content.document};
  for (const auto& [slot, authority] : sent.slots)
    if (const auto found = content.disclosures.find(slot);
        found != content.disclosures.end())
      payload.disclosures.push_back(found->second);
  payload.grants.assign(kGrantsRoom, std::string(kGrantBytesMax, '-'));
  if (EncodePayload(payload).ok()) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "the sections for a recipient do not fit one envelope",
                   {.code = "too_large",
                    .field = "/sections",
                    .expected = "less text",
                    .hint = "shorten the form; nothing was sent"});
}

}  // namespace

std::map<Slot, std::string> AllowedSlots(
    const std::vector<SectionDecision>& decisions) {
  std::map<Slot, std::string> slots;
  for (const SectionDecision& decision : decisions)
    if (decision.allowed()) slots.emplace(decision.slot(), decision.authority);
  return slots;
}

absl::Status AddDocument(const Desk& desk, const Moment& moment,
                         const DocumentStep& step, const Transfer& transfer,
                         const std::vector<SectionDecision>& decisions,
                         const std::vector<WithoutConsent>& bases,
                         CaseChange& change) {
  DocumentSent sent{.kind = step.kind,
                    .referral_id = step.referral_id,
                    .document = step.document,
                    .prev = step.prev,
                    .priority = step.priority,
                    .purpose = transfer.purpose,
                    .first_contact = transfer.first_contact,
                    .slots = AllowedSlots(decisions),
                    .grants = {},
                    .bases = bases};
  CaseEvent event{.id = step.event_id,
                  .case_id = transfer.case_id,
                  .from = transfer.sender,
                  .to = transfer.recipient,
                  .at = moment.now,
                  .leaf = std::nullopt,
                  .envelope = std::nullopt,
                  .body = sent};
  RETURN_IF_ERROR(FitsEnvelope(event, sent, step.content));
  change.events.push_back(std::move(event));
  // Only what was allowed now: sealing may leave something out, not add.
  std::set<Section> sections;
  for (const SectionDecision& decision : decisions)
    if (decision.allowed()) sections.insert(decision.section);
  desk.outbox.Add({.recipient = transfer.recipient,
                   .kind = step.kind,
                   .case_id = transfer.case_id,
                   .event_id = step.event_id,
                   .sections = std::move(sections),
                   .content_of = step.content_of,
                   .document = {}},
                  change.rows);
  return absl::OkStatus();
}

}  // namespace amparo::agent

#include "agents/institution/core/section_reader.h"

#include <utility>
#include <vector>

#include "base/error.h"
#include "base/status.h"
#include "proto/content/policy.h"
#include "proto/content/referral_document.h"

namespace amparo::agent {
namespace {

// Events whose content is a copy of `document`, that of `first` in front: the
// sender keeps one for all, a recipient one for each envelope.
std::vector<EventId> CopiesOf(const Case& entry, const PeerReferral& referral,
                              const Digest& document, const EventId& first) {
  std::vector<EventId> ids = {first};
  for (const CaseEvent& event : entry.events) {
    const auto* sent = std::get_if<DocumentSent>(&event.body);
    if (sent != nullptr && sent->document == document &&
        event.from == referral.sender && event.id != ids.back())
      ids.push_back(event.id);
  }
  return ids;
}

// Its sender's keys up to the entry that brought the document. An own document
// that is not logged yet may be signed by a key that is not either.
KeyLookup KeysFor(const Desk& desk, const Moment& moment, const Case& entry,
                  const PeerReferral& referral, const Digest& document) {
  return [&, document](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    for (const CaseEvent& event : entry.events) {
      const auto* sent = std::get_if<DocumentSent>(&event.body);
      if (sent == nullptr || sent->document != document ||
          event.from != referral.sender || !event.leaf)
        continue;
      const auto signer =
          moment.peers->keys.EarlierSigner(referral.sender, kid, *event.leaf);
      if (signer.ok()) return signer->key;
    }
    if (referral.sender == desk.cases.self()) {
      ASSIGN_OR_RETURN(const SigningKey own, desk.keys.Signer());
      if (own.verify_key().Thumbprint() == kid) return own.verify_key();
    }
    return absl::PermissionDeniedError("not a key of the document's issuer");
  };
}

absl::Status Tampered() {
  return MakeError(
      absl::StatusCode::kDataLoss,
      "a stored section does not fit what was signed",
      {.code = "tampered", .hint = "stop and tell whoever runs this agent"});
}

}  // namespace

absl::StatusOr<std::string> ReadSection(const Desk& desk, const Moment& moment,
                                        const Case& entry,
                                        const PeerReferral& referral, Slot slot,
                                        const SharedSlot& shared) {
  for (const EventId& id :
       CopiesOf(entry, referral, shared.document, shared.event_id)) {
    const auto content =
        desk.cases.ContentOf(entry.state.case_id, id, referral.sender);
    if (absl::IsNotFound(content.status())) continue;
    RETURN_IF_ERROR(content.status());
    const auto disclosure = content->disclosures.find(slot);
    if (disclosure == content->disclosures.end()) continue;
    const auto document =
        VerifyReferral(content->document, {disclosure->second},
                       KeysFor(desk, moment, entry, referral, shared.document));
    if (!document.ok() || document->digest != shared.document ||
        document->claims.issuer != referral.sender ||
        document->claims.referral_id != referral.referral_id ||
        !document->values.contains(slot))
      return Tampered();
    return DumpJson(document->values.at(slot));
  }
  return absl::NotFoundError("the section is erased");
}

absl::Status MayGiveOut(const Desk& desk, const Case& entry,
                        const PeerReferral& referral,
                        const std::set<Slot>& slots) {
  if (!referral.IsIncoming(desk.cases.self()) || slots.empty())
    return absl::OkStatus();
  if (desk.held.MayRevoke(referral.case_id, referral.sender))
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "its sender sent a change of consent under a key that "
                     "nobody vouches for yet",
                     {.code = "key_too_new", .field = "section"});
  const Moment moment = TakeMoment(desk);
  const Transfer transfer{.sender = referral.sender,
                          .recipient = desk.cases.self(),
                          .case_id = referral.case_id,
                          .purpose = referral.purpose,
                          .first_contact = referral.first_contact};
  return RequireCovered(moment.charter(), entry.state.authority, transfer,
                        slots, moment.now);
}

absl::StatusOr<std::set<Slot>> SlotsNamed(
    const std::vector<std::string>& names) {
  std::set<Slot> slots;
  for (const std::string& name : names) {
    const auto slot = ParseSlot(name);
    if (!slot.ok())
      return MakeError(absl::StatusCode::kInvalidArgument,
                       "not the name of a section",
                       {.code = "usage", .field = "section"});
    slots.insert(*slot);
  }
  return slots;
}

}  // namespace amparo::agent

#include "agents/institution/core/case_opener.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agents/institution/core/anchors.h"
#include "agents/institution/core/opening_book.h"
#include "agents/institution/core/promises.h"
#include "agents/institution/core/refused_mail.h"
#include "agents/institution/core/section_reader.h"
#include "base/status.h"
#include "proto/envelope/anchor.h"

namespace amparo::agent {
namespace {

bool IsOf(const CaseEvent& event, const Digest& document,
          const MemberId& sender) {
  const auto* sent = std::get_if<DocumentSent>(&event.body);
  return sent != nullptr && sent->document == document && event.from == sender;
}

// Puts together what this agent has of one case.
class Opener {
 public:
  Opener(const Desk& desk, const Case& entry, bool with_sections)
      : desk_(desk),
        entry_(entry),
        peers_(desk.peers.Now()),
        with_sections_(with_sections),
        opening_{.net = peers_->charter.network_id,
                 .case_id = entry.state.case_id,
                 .member = desk.cases.self(),
                 .size = desk.log.size()} {}

  absl::StatusOr<CaseOpening> Run() {
    for (const CaseEvent& event : entry_.events)
      if (event.leaf && event.envelope && IsProven(*event.leaf) &&
          !std::holds_alternative<DeliveryNoted>(event.body))
        RETURN_IF_ERROR(AddEnvelope(event));
    RETURN_IF_ERROR(AddUnfolded());
    const Authority& authority = entry_.state.authority;
    for (const auto& [key, held] : authority.grants) {
      const Grant& grant = held.grant;
      opening_.grants.push_back(SerializeSdJwt(grant.jwt, grant.disclosures()));
      if (grant.issuer == desk_.cases.self())
        RETURN_IF_ERROR(AddOwnAnchor(grant.event_id, grant.jwt));
    }
    for (const WithoutConsent& basis : authority.bases)
      opening_.bases.push_back(basis.token);
    for (auto& [leaf, anchor] : anchors_)
      if (IsProven(leaf)) opening_.anchors.push_back(std::move(anchor));
    std::sort(opening_.envelopes.begin(), opening_.envelopes.end(),
              [](const auto& a, const auto& b) { return a.leaf < b.leaf; });
    std::sort(opening_.unopened.begin(), opening_.unopened.end());
    return std::move(opening_);
  }

 private:
  // What the broker promised and the log does not show yet is of a later day.
  bool IsProven(LeafIndex leaf) const {
    return leaf.value() < opening_.size->value();
  }

  absl::Status AddEnvelope(const CaseEvent& event) {
    ASSIGN_OR_RETURN(const bool lost,
                     IsPromiseBroken(desk_.kv, *event.leaf, *event.envelope));
    if (lost) return absl::OkStatus();  // the log has something else there
    const auto kept = OpeningOf(desk_.kv, *event.envelope);
    if (absl::IsNotFound(kept.status())) {
      opening_.unopened.push_back(*event.leaf);
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(kept.status());
    OpenedEnvelope envelope{.leaf = *event.leaf,
                            .salt = ToBytes(kept->salt),
                            .manifest = kept->manifest,
                            .document = kept->document};
    OpenedEnvelope::Content content{ToBytes(kept->salt2), {}, {}};
    EventId dated = event.id;
    const auto* sent = std::get_if<DocumentSent>(&event.body);
    if (sent != nullptr) {
      ASSIGN_OR_RETURN(dated, AddDocument(event, *sent, envelope, content));
    } else if (const auto* granted = std::get_if<Granted>(&event.body)) {
      content.disclosures = PartOf(granted->grant, event);
    }
    // What does not make the manifest again is not what went.
    const bool whole = ManifestDigest(content.salt2, content.disclosures,
                                      content.grants) == kept->manifest;
    if (whole && (sent == nullptr || MayTell(event, *sent, envelope.slots)))
      envelope.content = std::move(content);
    RETURN_IF_ERROR(AddAnchor(event, dated, envelope.document, *kept));
    opening_.envelopes.push_back(std::move(envelope));
    return absl::OkStatus();
  }

  // What came or went besides, and left no event of its own: refused, held, or
  // sent once more since. Whoever leaves it out looks as if it hid something.
  absl::Status AddUnfolded() {
    std::set<LeafIndex> told(opening_.unopened.begin(),
                             opening_.unopened.end());
    for (const OpenedEnvelope& envelope : opening_.envelopes)
      told.insert(envelope.leaf);
    const auto add = [&](LeafIndex leaf) {
      if (IsProven(leaf) && told.insert(leaf).second)
        opening_.unopened.push_back(leaf);
    };
    ASSIGN_OR_RETURN(const std::vector<LeafIndex> unfolded,
                     UnfoldedOf(desk_.kv, entry_.state));
    for (const LeafIndex leaf : unfolded) add(leaf);
    std::vector<std::pair<LeafIndex, Digest>> went;
    RETURN_IF_ERROR(
        desk_.outbox.VisitSent([&](const Digest& envelope, const Sent& sent) {
          if (sent.draft.case_id == entry_.state.case_id)
            went.emplace_back(sent.leaf, envelope);
        }));
    for (const auto& [leaf, envelope] : went) {
      ASSIGN_OR_RETURN(const bool lost,
                       IsPromiseBroken(desk_.kv, leaf, envelope));
      if (!lost) add(leaf);
    }
    return absl::OkStatus();
  }

  bool MayTell(const CaseEvent& event, const DocumentSent& sent,
               const std::set<Slot>& slots) const {
    if (!with_sections_) return false;
    const MemberId& peer =
        event.from == desk_.cases.self() ? event.to : event.from;
    const PeerReferral* referral = entry_.state.Find(sent.referral_id, peer);
    return referral != nullptr &&
           MayGiveOut(desk_, entry_, *referral, slots).ok();
  }

  // The event that issued the document.
  absl::StatusOr<EventId> AddDocument(const CaseEvent& event,
                                      const DocumentSent& sent,
                                      OpenedEnvelope& envelope,
                                      OpenedEnvelope::Content& content) {
    EventId issued = event.id;
    std::map<Slot, Disclosure> held;
    for (const CaseEvent& other : entry_.events) {
      if (!IsOf(other, sent.document, event.from)) continue;
      auto copy =
          desk_.cases.ContentOf(entry_.state.case_id, other.id, other.from);
      if (absl::IsNotFound(copy.status())) continue;
      RETURN_IF_ERROR(copy.status());
      if (std::get<DocumentSent>(other.body).kind != EventKind::kDisclosed)
        issued = other.id;
      envelope.document = copy->document;
      held.merge(copy->disclosures);
    }
    envelope.purpose = sent.purpose;
    envelope.first_contact = sent.first_contact;
    std::set<std::string> authorities;
    envelope.slots = sent.closed;
    for (const auto& [slot, authority] : sent.slots) {
      if (sent.went_before.contains(slot)) continue;
      envelope.slots.insert(slot);
      authorities.insert(authority);
      if (const auto found = held.find(slot); found != held.end())
        content.disclosures.push_back(found->second);
    }
    if (event.from != desk_.cases.self()) {
      for (const Grant& grant : sent.grants)
        content.grants.push_back(
            SerializeSdJwt(grant.jwt, grant.disclosures()));
      for (const WithoutConsent& basis : sent.bases)
        content.grants.push_back(basis.token);
      return issued;
    }
    for (const auto& [key, one] : entry_.state.authority.grants)
      if (key.first == event.from && authorities.contains(key.second.text()))
        content.grants.push_back(
            SerializeSdJwt(one.grant.jwt, PartOf(one.grant, event)));
    for (const WithoutConsent& basis : entry_.state.authority.bases)
      if (authorities.contains(basis.id.text()) && basis.recipient == event.to)
        content.grants.push_back(basis.token);
    return issued;
  }

  // What of a grant its recipient was given.
  std::vector<Disclosure> PartOf(const Grant& grant,
                                 const CaseEvent& event) const {
    const Member* member = peers_->charter.charter.Find(event.to);
    if (event.from != desk_.cases.self() || member == nullptr)
      return grant.disclosures();
    return DisclosuresFor(grant, event.to, member->kind);
  }

  absl::Status AddAnchor(const CaseEvent& event, const EventId& dated,
                         const std::string& document,
                         const PayloadOpening& kept) {
    if (event.from == desk_.cases.self()) return AddOwnAnchor(dated, document);
    if (kept.origin)
      anchors_[kept.origin->leaf] = {kept.origin->leaf,
                                     ToBytes(kept.origin->salt), document};
    return absl::OkStatus();
  }

  absl::Status AddOwnAnchor(const EventId& id, const std::string& document) {
    const auto anchor = LoggedAnchor(desk_.kv, id);
    if (absl::IsNotFound(anchor.status())) return absl::OkStatus();
    RETURN_IF_ERROR(anchor.status());
    anchors_[anchor->leaf] = {anchor->leaf, ToBytes(anchor->anchor_salt),
                              document};
    return absl::OkStatus();
  }

  const Desk& desk_;
  const Case& entry_;
  const std::shared_ptr<const Peers> peers_;
  const bool with_sections_;
  CaseOpening opening_;
  std::map<LeafIndex, OpenedAnchor> anchors_;
};

}  // namespace

absl::StatusOr<CaseOpening> GatherOpening(const Desk& desk, const Case& entry,
                                          bool with_sections) {
  return Opener(desk, entry, with_sections).Run();
}

}  // namespace amparo::agent

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "agents/institution/core/access.h"
#include "agents/institution/core/document_step.h"
#include "agents/institution/core/own_versions.h"
#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/referral_views.h"
#include "agents/institution/core/take_back.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

absl::StatusOr<std::set<Section>> SectionsNamed(
    const std::vector<std::string>& names) {
  const absl::Status usage = MakeError(absl::StatusCode::kInvalidArgument,
                                       "a disclosure names its sections",
                                       {.code = "usage", .field = "section"});
  std::set<Section> sections;
  for (const std::string& name : names) {
    const auto section = ParseSection(name);
    if (!section.ok()) return usage;
    sections.insert(*section);
  }
  if (sections.empty()) return usage;
  return sections;
}

// A version and what it can disclose.
struct Source {
  OwnVersion version;
  Content content;
};

// More of what was signed before, for one recipient.
struct Disclosing {
  const Desk& desk;
  const Moment& moment;
  const Case& entry;
  const std::vector<Source>& sources;  // oldest first
  const std::set<Section>& sections;

  // The newest version that has the section; null when there is none.
  const Source* SourceOf(Section section) const;
  // For each version that has some of it, an event. All or nothing, and only
  // what the recipient does not have yet.
  absl::StatusOr<CaseChange> Change(const PeerReferral& referral) const;

 private:
  // Whether the recipient has the slot, or will have it when what waits is
  // sent.
  bool Holds(const PeerReferral& referral, Slot slot) const;
};

const Source* Disclosing::SourceOf(Section section) const {
  for (auto source = sources.rbegin(); source != sources.rend(); ++source)
    if (source->content.disclosures.contains({section})) return &*source;
  return nullptr;
}

bool Disclosing::Holds(const PeerReferral& referral, Slot slot) const {
  const auto shared = referral.shared.find(slot);
  if (shared == referral.shared.end() || shared->second.erased) return false;
  return std::none_of(entry.events.begin(), entry.events.end(),
                      [&](const CaseEvent& event) {
                        return event.id == shared->second.event_id &&
                               event.to == referral.recipient &&
                               DeliveryOf(entry, event) >= Delivery::kRecalled;
                      });
}

absl::StatusOr<CaseChange> Disclosing::Change(
    const PeerReferral& referral) const {
  std::map<const Source*, std::vector<SectionDecision>> by_source;
  for (const SectionDecision& decision :
       Decide(moment.charter(), entry.state.authority, TransferOf(referral),
              sections, moment.now)) {
    const Source* source = SourceOf(decision.section);
    if (source == nullptr)
      return MakeError(absl::StatusCode::kNotFound,
                       "the referral has no such section",
                       {.code = "not_found", .field = "section"});
    if (!decision.allowed()) return Refused(decision);
    if (!Holds(referral, decision.slot()))
      by_source[source].push_back(decision);
  }
  if (by_source.empty())
    return WrongState("the recipient has these sections already");
  CaseChange change;
  for (const auto& [source, decisions] : by_source) {
    const OwnVersion& version = source->version;
    const DocumentStep step{.kind = EventKind::kDisclosed,
                            .event_id = EventId::New(),
                            .content_of = version.event_id,
                            .content = source->content,
                            .referral_id = referral.referral_id,
                            .document = version.sent.document,
                            .prev = version.sent.prev,
                            .priority = referral.priority};
    RETURN_IF_ERROR(AddDocument(desk, moment, step, TransferOf(referral),
                                decisions, {}, change));
  }
  return change;
}

absl::StatusOr<std::vector<Source>> SourcesOf(const Desk& desk,
                                              const Case& entry,
                                              const ReferralId& id) {
  std::vector<Source> sources;
  for (OwnVersion& version : OwnVersionsOf(entry, desk.cases.self(), id)) {
    ASSIGN_OR_RETURN(Content content,
                     desk.cases.ContentOf(entry.state.case_id, version.event_id,
                                          desk.cases.self()));
    sources.push_back({std::move(version), std::move(content)});
  }
  if (sources.empty())
    return WrongState("only its sender discloses more of a referral");
  return sources;
}

// `change` with what it adds.
ReferralChange Summarized(const CaseChange& change,
                          const PeerReferral& referral) {
  ReferralChange summary{.referral_id = referral.referral_id,
                         .event_id = change.events.front().id,
                         .recipients = {},
                         .slots = {},
                         .fits_first_digest = true};
  for (const CaseEvent& event : change.events) {
    const auto& sent = std::get<DocumentSent>(event.body);
    for (const auto& [slot, authority] : sent.slots)
      summary.slots.push_back(slot);
    // Its digest reached the recipient with an earlier envelope.
    if (std::find(referral.documents.begin(), referral.documents.end(),
                  sent.document) == referral.documents.end())
      summary.fits_first_digest = false;
  }
  return summary;
}

}  // namespace

absl::StatusOr<ReferralChange> ReferralDesk::Disclose(
    const Officer& officer, absl::string_view id, absl::string_view to,
    const std::vector<std::string>& names) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kRefer));
  ASSIGN_OR_RETURN(const VisibleReferral found,
                   FindReferral(desk_, officer, id));
  ASSIGN_OR_RETURN(const std::set<Section> sections, SectionsNamed(names));
  RETURN_IF_ERROR(desk_.outbox.CheckRoom());
  ASSIGN_OR_RETURN(const std::vector<Source> sources,
                   SourcesOf(desk_, *found.entry, found.id()));
  const auto recipient = MemberId::Parse(to);
  const Moment moment = TakeMoment(desk_);
  const MemberId& self = desk_.cases.self();
  std::optional<ReferralChange> answer;
  const auto decide = [&](const Case* current) -> absl::StatusOr<CaseChange> {
    const PeerReferral* referral =
        recipient.ok() ? current->state.Find(found.id(), *recipient) : nullptr;
    if (referral == nullptr || referral->IsIncoming(self))
      return WrongState("it is not a recipient of this referral");
    ASSIGN_OR_RETURN(const bool open, IsOpen(desk_, *referral));
    if (!open) return WrongState("the referral has ended");
    // An update came in between: what was read is not the newest any more.
    if (OwnVersionsOf(*current, self, found.id()).size() != sources.size())
      return MakeError(
          absl::StatusCode::kAborted, "the referral changed meanwhile",
          {.code = "conflict", .hint = "try again", .retryable = true});
    const Disclosing disclosing{desk_, moment, *current, sources, sections};
    ASSIGN_OR_RETURN(CaseChange change, disclosing.Change(*referral));
    answer = Summarized(change, *referral);
    RETURN_IF_ERROR(LogStep(desk_, officer, "referral_disclose",
                            current->state.case_id, change));
    return change;
  };
  ASSIGN_OR_RETURN(const auto entry,
                   desk_.cases.Change(found.entry->state.case_id, decide));
  desk_.wake_courier();
  answer->recipients = ReferralViews(desk_, moment).StatesOf(*entry, found.key);
  return *std::move(answer);
}

}  // namespace amparo::agent

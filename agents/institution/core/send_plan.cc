#include "agents/institution/core/send_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/access.h"
#include "agents/institution/core/grant_chain.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/random.h"
#include "proto/content/narrowing.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

absl::Status Usage(absl::string_view message, const char* field) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.code = "usage", .field = field});
}

absl::Status BadForm(absl::string_view message, const char* field,
                     absl::string_view expected) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, message,
      {.code = "invalid_form",
       .field = field,
       .expected = std::string(expected),
       .hint = "correct the form and send again; nothing was sent"});
}

bool Holds(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// A member that can be a recipient at all. Whether it may receive anything now
// is policy's to say, and shows in a dry run.
absl::StatusOr<MemberId> RecipientNamed(const Desk& desk, const Moment& moment,
                                        const std::string& name) {
  const absl::Status unknown =
      MakeError(absl::StatusCode::kNotFound,
                "a recipient is not a member of this network",
                {.code = "unknown_member",
                 .field = "to",
                 .hint = "amparo directory list shows the members"});
  auto id = MemberId::Parse(name);
  if (!id.ok()) return unknown;
  const Member* member = moment.charter().Find(*id);
  if (member == nullptr || member->status == MemberStatus::kLeft)
    return unknown;
  if (!HasMailbox(member->kind))
    return Usage(absl::StrCat(id->text(), " has no mailbox"), "to");
  if (*id == desk.cases.self())
    return Usage("a referral goes to another institution", "to");
  return id;
}

absl::StatusOr<std::vector<MemberId>> RecipientsOf(const Desk& desk,
                                                   const Moment& moment,
                                                   const SendRequest& request) {
  std::vector<MemberId> to;
  for (const std::string& name : request.to) {
    ASSIGN_OR_RETURN(MemberId id, RecipientNamed(desk, moment, name));
    if (std::find(to.begin(), to.end(), id) == to.end())
      to.push_back(std::move(id));
  }
  if (to.empty()) return Usage("a referral has a recipient", "to");
  return to;
}

absl::Status CheckForm(const SendPlan& plan) {
  if (plan.form.sections.empty())
    return BadForm("the form has no section", "/sections",
                   "at least one section");
  for (const auto& [member, purpose] : plan.form.recipient_purposes)
    if (std::find(plan.to.begin(), plan.to.end(), member) == plan.to.end())
      return BadForm("the form names a recipient that it is not sent to",
                     "/recipients", "a subset of the recipients");
  return absl::OkStatus();
}

absl::StatusOr<Priority> PriorityOf(const SendRequest& request,
                                    const ReferralForm& form) {
  if (request.priority.empty() && form.priority) return *form.priority;
  if (const auto priority = ParsePriority(request.priority)) return *priority;
  return BadForm("a referral has a priority", "/priority",
                 "one of: immediate emergency urgent routine");
}

absl::StatusOr<BasisPlan> BasisOf(const Moment& moment,
                                  const SendRequest& request) {
  if (!IsOneOf(BasisReasons(), request.basis) ||
      !Holds(moment.charter().reason_codes, request.basis))
    return Usage("not a reason that the charter allows", "basis");
  BasisPlan basis{.code = request.basis, .texts_salt = RandomBytes(kSaltBytes)};
  ASSIGN_OR_RETURN(basis.reason, ParseReasonForm(request.reason_json));
  for (const std::string& legal : basis.reason.legal_basis)
    RETURN_IF_ERROR(CheckLegalBasis(legal, moment.charter(), "/legal_basis"));
  if (basis.reason.expires && *basis.reason.expires <= moment.now)
    return BadForm("the record would have expired", "/expires",
                   "a time to come, or null for 72 hours");
  return basis;
}

// Fills case and authority of `plan`.
absl::Status FindAuthority(const Desk& desk, const Moment& moment,
                           const Officer& officer, const SendRequest& request,
                           SendPlan& plan) {
  if (request.consent.empty() == request.basis.empty())
    return Usage("a referral rests on a consent or on a basis", "consent");
  if (!request.consent.empty()) {
    if (!request.reason_json.empty() || !request.case_id.empty())
      return Usage("reason and case go with a basis; a consent has its case",
                   "consent");
    ASSIGN_OR_RETURN(const VisibleGrant grant,
                     FindGrant(desk, officer, request.consent));
    plan.consent = grant.id();
    plan.case_id = grant.entry->state.case_id;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(plan.basis, BasisOf(moment, request));
  plan.opens_case = request.case_id.empty();
  if (plan.opens_case) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto entry,
                   VisibleCase(desk, officer, request.case_id));
  plan.case_id = entry->state.case_id;
  return absl::OkStatus();
}

// What the case allows. A consent that no longer holds allows nothing, whatever
// else the case has: the officer named it, so its refusal is the answer.
Authority AuthorityFor(const SendPlan& plan, const Case* current,
                       const MemberId& self, absl::Time now) {
  if (current == nullptr) return {};
  Authority authority = current->state.authority;
  if (!plan.consent) return authority;
  // The one that holds today in place of the one named.
  const auto chain = ChainOf(current->state, {self, *plan.consent});
  if (!chain.empty() && StatusAt(*chain.front(), now) == GrantStatus::kActive)
    return authority;
  std::erase_if(authority.grants, [&](const auto& entry) {
    return chain.empty() ||
           entry.first != GrantKey(self, chain.front()->grant.id);
  });
  authority.bases.clear();
  return authority;
}

WithoutConsent RecordFor(const Desk& desk, const Moment& moment,
                         const SendPlan& plan, const MemberId& recipient) {
  const ReasonForm& reason = plan.basis->reason;
  std::set<Section> sections;
  for (const Section section : reason.sections)
    if (plan.form.sections.contains(section)) sections.insert(section);
  return {.net = moment.net(),
          .issuer = desk.cases.self(),
          .recipient = recipient,
          .at = moment.now,
          .expires = reason.expires.value_or(moment.now + kWithoutConsentLife),
          .case_id = plan.case_id,
          .id = plan.basis->id,
          .reason_code = plan.basis->code,
          .sections = std::move(sections),
          .risk_level = reason.risk_level,
          .purpose = reason.purpose,
          .legal_basis = reason.legal_basis,
          .agreement_sought = reason.agreement_sought,
          .informed_answer = reason.informed_answer,
          .informed_date = reason.informed_date,
          .second_approver = reason.second_approver.has_value(),
          .texts = TextsDigest(plan.basis->texts_salt, reason.texts),
          .token = {}};
}

// Leaves in `record` what it was needed for.
void Narrow(WithoutConsent& record, const RecipientDecision& decision) {
  record.sections.clear();
  for (const SectionDecision& section : decision.sections)
    if (section.reason == Reason::kBasis &&
        section.authority == record.id.text())
      record.sections.insert(section.section);
}

}  // namespace

std::set<Section> SendPlan::sections() const {
  std::set<Section> sections;
  for (const auto& [section, value] : form.sections) sections.insert(section);
  return sections;
}

bool SendDecision::allowed() const {
  return std::all_of(recipients.begin(), recipients.end(),
                     [](const RecipientDecision& r) { return r.allowed; });
}

absl::StatusOr<SendPlan> PlanSend(const Desk& desk, const Moment& moment,
                                  const Officer& officer,
                                  const SendRequest& request) {
  SendPlan plan;
  ASSIGN_OR_RETURN(plan.form, ParseReferralForm(request.form_json));
  ASSIGN_OR_RETURN(plan.priority, PriorityOf(request, plan.form));
  ASSIGN_OR_RETURN(plan.to, RecipientsOf(desk, moment, request));
  RETURN_IF_ERROR(CheckForm(plan));
  RETURN_IF_ERROR(FindAuthority(desk, moment, officer, request, plan));
  return plan;
}

Transfer TransferOf(const SendPlan& plan, const MemberId& sender,
                    const MemberId& recipient) {
  return {.sender = sender,
          .recipient = recipient,
          .case_id = plan.case_id,
          .purpose = plan.form.PurposeFor(recipient),
          .first_contact = plan.form.first_contact == recipient};
}

SendDecision DecideSend(const Desk& desk, const Moment& moment,
                        const SendPlan& plan, const Case* current) {
  Authority authority =
      AuthorityFor(plan, current, desk.cases.self(), moment.now);
  // In front: the basis stated now decides, not one of earlier days.
  if (plan.basis)
    for (const MemberId& recipient : plan.to)
      authority.bases.insert(authority.bases.begin(),
                             RecordFor(desk, moment, plan, recipient));
  SendDecision decision;
  for (const MemberId& recipient : plan.to) {
    RecipientDecision one{
        .member = recipient,
        .allowed = false,
        .reachable = desk.peers.PrekeyFor(recipient, moment.now).ok(),
        .sections = Decide(moment.charter(), authority,
                           TransferOf(plan, desk.cases.self(), recipient),
                           plan.sections(), moment.now)};
    one.allowed = std::any_of(
        one.sections.begin(), one.sections.end(),
        [](const SectionDecision& section) { return section.allowed(); });
    if (plan.basis) {
      WithoutConsent record = RecordFor(desk, moment, plan, recipient);
      Narrow(record, one);
      if (!record.sections.empty()) decision.bases.emplace(recipient, record);
    }
    decision.recipients.push_back(std::move(one));
  }
  return decision;
}

}  // namespace amparo::agent

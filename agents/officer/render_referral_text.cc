#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agents/officer/fields.h"
#include "agents/officer/render_text.h"
#include "agents/officer/table.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::officer {
namespace {

bool AwaitsDecision(absl::string_view state) {
  return state == "sent" || state == "received";
}
bool WasOpened(absl::string_view delivery) {
  return delivery == "opened" || delivery == "acknowledged";
}

std::string Deadline(uint64_t by_s, bool overdue, const TextStyle& style) {
  if (by_s == 0) return "";
  return absl::StrCat(LongTimeText(by_s, style),
                      overdue ? Alarming("  OVERDUE", style) : "");
}

std::string LogText(const v1::RecipientState& to) {
  if (!to.in_log()) return "";
  return absl::StrCat("entry ", to.log_index(),
                      to.witnessed() ? ", seen by the witnesses"
                                     : ", not yet seen by witnesses");
}

std::string RecipientText(const v1::RecipientState& to,
                          const TextStyle& style) {
  Facts facts(2);
  facts.Add("State",
            absl::StrCat(Words(to.state()), ", ", Words(to.delivery())));
  if (!to.failure().empty()) facts.Add("Not sent because", Words(to.failure()));
  if (!to.reason_code().empty()) facts.Add("Reason", Words(to.reason_code()));
  if (!to.outcome().empty()) facts.Add("Outcome", Words(to.outcome()));
  if (AwaitsDecision(to.state())) {
    if (!WasOpened(to.delivery()))
      facts.Add("To open by",
                Deadline(to.acknowledge_by_s(), to.overdue(), style));
    facts.Add("To decide by", Deadline(to.decide_by_s(), to.overdue(), style));
  }
  facts.Add("Shared", Listing(to.sections()));
  facts.Add("In the log", LogText(to));
  return absl::StrCat(
      Heading(absl::StrCat("To ", Printable(to.member())), style), "\n",
      facts.Text());
}

// Who reads it may be about to call the person that it is about.
std::string InformedText(const v1::WithoutConsentView& basis,
                         const TextStyle& style) {
  const std::string date =
      basis.person_informed_date().empty()
          ? ""
          : absl::StrCat(", ", Printable(basis.person_informed_date()));
  if (basis.person_informed() == "yes") return absl::StrCat("yes", date);
  if (basis.person_informed() == "later")
    return Alarming(absl::StrCat("NOT YET", date), style);
  return Alarming("NO: telling the person is not safe", style);
}

std::string BasisText(const v1::WithoutConsentView& basis,
                      const TextStyle& style) {
  Facts facts(2);
  facts.Add("Reason", absl::StrCat(Words(basis.reason_code()), "; risk ",
                                   Words(basis.risk_level())));
  facts.Add("Sections", Listing(basis.sections()));
  facts.Add("Legal basis", Listing(basis.legal_basis()));
  facts.Add("Agreement sought", Words(basis.agreement_sought()));
  facts.Add("Person informed", InformedText(basis, style));
  return absl::StrCat(Alarming("WITHOUT CONSENT", style), " to ",
                      Printable(basis.member()), "\n", facts.Text());
}

// "version 2, shared Saturday ...; fits the digest signed on Friday ..."
std::string OriginText(const v1::ReferralView& referral,
                       const v1::SectionView& section, const TextStyle& style) {
  std::string text;
  if (section.version() > 1)
    absl::StrAppend(&text, "version ", section.version(), ", ");
  const bool later = section.shared_at_s() > referral.created_at_s();
  if (!later && text.empty()) return "";
  absl::StrAppend(&text, "shared ", TimeText(section.shared_at_s(), style));
  if (section.fits_first_digest())
    absl::StrAppend(&text, "; fits the digest signed on ",
                    TimeText(referral.created_at_s(), style));
  return absl::StrCat("  (", text, ")\n");
}

absl::StatusOr<std::string> SectionText(const v1::ReferralView& referral,
                                        const v1::SectionView& section,
                                        const TextStyle& style) {
  const std::string title = Heading(Label(section.section()), style);
  if (section.status() == "erased")
    return absl::StrCat(title,
                        "\n  erased: the consent for it was taken back\n");
  if (section.status() == "masked")
    return absl::StrCat(
        title, "\n  masked; to open it on purpose: amparo referral show ",
        ShortId(referral.referral_id()), " --section ",
        Printable(section.section()),
        "\n  (each opening is written in the access log)\n");
  const auto fields = ParseJson(section.fields_json());
  if (!fields.ok())
    return absl::InternalError("the agent gave fields that are no JSON");
  return absl::StrCat(title, "\n", OriginText(referral, section, style),
                      FieldsText(*fields, 2, style));
}

std::string DecisionText(const v1::RecipientDecision& decision,
                         const TextStyle& style) {
  const std::string verdict =
      decision.allowed() ? "would receive:" : "would receive NOTHING:";
  std::string text = absl::StrCat(
      Heading(absl::StrCat(Printable(decision.member()), " ", verdict), style),
      "\n");
  if (!decision.reachable())
    absl::StrAppend(&text,
                    "  (no current key of theirs is known yet: it "
                    "would wait here until one is)\n");
  Table table({"Section", "View", "Ground", "Why"});
  for (const v1::SectionDecision& section : decision.sections())
    table.Add({section.section(),
               section.view() == "none" ? "stays here" : section.view(),
               Words(section.reason()), section.text()});
  return absl::StrCat(text, table.Text(style));
}

std::string FindingText(const v1::SendResponse& sent, const TextStyle& style) {
  std::string text =
      sent.allowed()
          ? "Dry run: nothing was stored or sent.\n"
          : Alarming("Refused: a recipient may receive no section.", style) +
                "\nNothing was stored or sent.\n";
  for (const v1::RecipientDecision& decision : sent.decisions())
    absl::StrAppend(&text, "\n", DecisionText(decision, style));
  return text;
}

}  // namespace

absl::StatusOr<std::string> ToText(const v1::SendResponse& sent,
                                   const TextStyle& style) {
  if (!sent.allowed() || sent.referral_id().empty())
    return FindingText(sent, style);
  std::string text = absl::StrCat("Referral ", sent.referral_id(), "\n",
                                  "Case     ", sent.case_id(), "\n",
                                  "Priority ", Words(sent.priority()), "\n\n");
  Table table({"To", "State", "Delivery", "Sections"});
  bool queued = false;
  for (const v1::RecipientState& to : sent.recipients()) {
    queued = queued || to.delivery() == "queued";
    table.Add({to.member(), Words(to.state()), Words(to.delivery()),
               Listing(to.sections())});
  }
  absl::StrAppend(&text, table.Text(style), "\n",
                  queued ? "It leaves by itself: now, or when the network is "
                           "back. "
                         : "",
                  "Follow it with:\n  amparo referral show ",
                  ShortId(sent.referral_id()), "\n");
  return text;
}

std::string ReferralRows(
    const google::protobuf::RepeatedPtrField<v1::ReferralRow>& rows,
    const TextStyle& style) {
  Table table({"Referral", "Box", "Member", "Priority", "State", "Delivery",
               "Decide by", "Changed"});
  for (const v1::ReferralRow& row : rows) {
    std::vector<std::string> cells = {
        ShortId(row.referral_id()),
        row.box(),
        row.peer(),
        Words(row.priority()),
        absl::StrCat(Words(row.state()), row.unread() ? ", new" : "",
                     row.emptied() ? ", all erased" : ""),
        Words(row.delivery()),
        row.overdue()
            ? absl::StrCat("OVERDUE ", TimeText(row.decide_by_s(), style))
        : AwaitsDecision(row.state()) ? TimeText(row.decide_by_s(), style)
                                      : "-",
        TimeText(row.changed_at_s(), style)};
    if (row.overdue())
      table.AddAlarming(std::move(cells));
    else
      table.Add(std::move(cells));
  }
  return table.Text(style);
}

absl::StatusOr<std::string> ToText(const v1::ListReferralsResponse& list,
                                   const TextStyle& style) {
  if (list.referrals().empty()) return "No referrals.\n";
  return ReferralRows(list.referrals(), style);
}

std::string EventRows(
    const google::protobuf::RepeatedPtrField<v1::EventView>& events,
    const TextStyle& style) {
  Table table({"When", "What", "By", "Log entry"});
  for (const v1::EventView& event : events)
    table.Add({TimeText(event.at_s(), style), Words(event.kind()), event.by(),
               event.in_log() ? absl::StrCat(event.log_index()) : "-"});
  return table.Text(style);
}

absl::StatusOr<std::string> ToText(const v1::ReferralView& referral,
                                   const TextStyle& style) {
  Facts facts;
  facts.Add("Referral", Printable(referral.referral_id()));
  facts.Add("Case", Printable(referral.case_id()));
  facts.Add("From", Printable(referral.from()));
  facts.Add("Priority", Words(referral.priority()));
  facts.Add("Signed", LongTimeText(referral.created_at_s(), style));
  if (referral.erasures_expected() > 0)
    facts.Add("Erased",
              absl::StrCat(referral.erasures_received(), " of ",
                           referral.erasures_expected(), " receipts are here"));
  std::string text = facts.Text();
  for (const v1::WithoutConsentView& basis : referral.without_consent())
    absl::StrAppend(&text, "\n", BasisText(basis, style));
  for (const v1::RecipientState& to : referral.recipients())
    absl::StrAppend(&text, "\n", RecipientText(to, style));
  for (const v1::SectionView& section : referral.sections()) {
    ASSIGN_OR_RETURN(const std::string part,
                     SectionText(referral, section, style));
    absl::StrAppend(&text, "\n", part);
  }
  if (!referral.events().empty())
    absl::StrAppend(&text, "\n", Heading("What happened", style), "\n",
                    EventRows(referral.events(), style));
  return text;
}

absl::StatusOr<std::string> ToText(const v1::ReferralChange& change,
                                   const TextStyle& style) {
  std::string text =
      absl::StrCat("Done: referral ", ShortId(change.referral_id()), "\n");
  Table table({"Member", "State", "Delivery"});
  for (const v1::RecipientState& to : change.recipients())
    table.Add({to.member(), Words(to.state()), Words(to.delivery())});
  absl::StrAppend(&text, table.Text(style));
  if (change.sections().empty()) return text;
  absl::StrAppend(&text, "Sections added: ", Listing(change.sections()), "\n");
  if (change.fits_first_digest())
    absl::StrAppend(&text,
                    "They fit the digests signed when it was first sent.\n");
  return text;
}

}  // namespace amparo::officer

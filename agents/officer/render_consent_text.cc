#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/officer/fields.h"
#include "agents/officer/render_text.h"
#include "agents/officer/table.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::officer {
namespace {

// `record[name]` as a line; empty when it is not there.
std::string At(const Json& record, const char* name, const TextStyle& style) {
  const auto found = record.find(name);
  if (found == record.end() || found->is_null()) return "";
  return ValueText(*found, style);
}

// [{"member":"uls"},{"kind":"police"}] -> "uls, every member of kind police"
std::string Parties(const Json& record) {
  std::string text;
  const auto found = record.find("recipients");
  if (found == record.end() || !found->is_array()) return text;
  for (const Json& party : *found) {
    if (!party.is_object()) continue;
    const bool kind = party.contains("kind");
    const std::string name = At(party, kind ? "kind" : "member", TextStyle{});
    absl::StrAppend(
        &text, text.empty() ? "" : ", ",
        kind ? absl::StrCat("every member of kind ", Words(name)) : name);
  }
  return text;
}

std::string ProvisionText(const Json& provision, const TextStyle& style) {
  const bool denies = At(provision, "effect", style) == "deny";
  Facts facts(2);
  const std::string sections = At(provision, "sections", style);
  facts.Add(denies ? "Keeps back" : "Allows",
            sections == "*" ? "all sections but the most sensitive" : sections);
  facts.Add(denies ? "From" : "To", Parties(provision));
  facts.Add("For", At(provision, "purposes", style));
  facts.Add("Until", At(provision, "until", style));
  facts.Add("Because", Words(At(provision, "reason", style)));
  return facts.Text();
}

// Of a whole institution, or of one person or officer there.
std::string ExclusionText(const Json& exclusion, const TextStyle& style) {
  const std::string member = At(exclusion, "member", style);
  std::string who = At(exclusion, "person", style);
  if (who.empty()) who = At(exclusion, "officer", style);
  Facts facts(2);
  facts.Add("Never to",
            who.empty() ? member : absl::StrCat(who, " at ", member));
  facts.Add("Because", Words(At(exclusion, "reason", style)));
  return facts.Text();
}

// Each object of the list `json` through `render`, a blank line between them.
absl::StatusOr<std::string> Records(const std::string& json,
                                    std::string (*render)(const Json&,
                                                          const TextStyle&),
                                    const TextStyle& style) {
  std::string text;
  if (json.empty()) return text;
  const auto list = ParseJson(json);
  if (!list.ok() || !list->is_array())
    return absl::InternalError("the agent gave provisions that are no list");
  for (const Json& record : *list)
    if (record.is_object()) absl::StrAppend(&text, "\n", render(record, style));
  return text;
}

std::string AnswerRows(
    const google::protobuf::RepeatedPtrField<v1::RevokedRecipient>& recipients,
    const TextStyle& style) {
  Table table({"Member", "Sections", "Answer", "Legal ground", "Receipt"});
  for (const v1::RevokedRecipient& recipient : recipients)
    table.Add({recipient.member(), Listing(recipient.sections()),
               Words(recipient.answer()), recipient.legal_basis(),
               TimeText(recipient.receipt_at_s(), style)});
  return table.Text(style);
}

}  // namespace

absl::StatusOr<std::string> ToText(const v1::RecordConsentResponse& recorded,
                                   const TextStyle& style) {
  Facts facts;
  facts.Add("Consent", Printable(recorded.grant_id()));
  facts.Add("Case", Printable(recorded.case_id()));
  facts.Add("Status", Words(recorded.status()));
  facts.Add("Valid until", LongTimeText(recorded.until_s(), style));
  facts.Add("Takes the place of", Printable(recorded.supersedes()));
  facts.Add("Digest", Printable(recorded.digest()));
  return absl::StrCat(
      facts.Text(), "\nSend with it:\n  amparo referral send --to MEMBER ",
      "--form FILE --consent ", ShortId(recorded.grant_id()), "\n");
}

absl::StatusOr<std::string> ToText(const v1::RevokeConsentResponse& revoked,
                                   const TextStyle& style) {
  Facts facts;
  facts.Add("Consent", Printable(revoked.grant_id()));
  facts.Add("Status", Words(revoked.status()));
  if (!revoked.superseded_by().empty())
    facts.Add("What is left", Printable(revoked.superseded_by()));
  facts.Add("Revoked by", Words(revoked.revoked_by()));
  facts.Add("At", LongTimeText(revoked.revoked_at_s(), style));
  if (!revoked.recalled().empty())
    facts.Add("Called back",
              Count(static_cast<uint64_t>(revoked.recalled_size()),
                    "message that may not be delivered yet",
                    "messages that may not be delivered yet"));
  std::string text = facts.Text();
  if (revoked.recipients().empty())
    return absl::StrCat(text, "\nNobody holds anything by it.\n");
  return absl::StrCat(text, "\n", Heading("Asked to erase", style), "\n",
                      AnswerRows(revoked.recipients(), style),
                      "\nTheir answers will stand in:\n  amparo consent show ",
                      ShortId(revoked.grant_id()),
                      "\nThe referral stays open. If nobody is to act on it any "
                      "more:\n  amparo referral withdraw REFERRAL\n");
}

std::string ConsentRows(
    const google::protobuf::RepeatedPtrField<v1::ConsentView>& consents,
    const TextStyle& style) {
  Table table({"Consent", "Case", "Agreement", "Status", "Collected", "Until"});
  for (const v1::ConsentView& consent : consents)
    table.Add({ShortId(consent.grant_id()), ShortId(consent.case_id()),
               Words(consent.agreement()), Words(consent.status()),
               TimeText(consent.collected_at_s(), style),
               TimeText(consent.until_s(), style)});
  return table.Text(style);
}

absl::StatusOr<std::string> ToText(const v1::ListConsentsResponse& list,
                                   const TextStyle& style) {
  if (list.consents().empty()) return "No consents.\n";
  return ConsentRows(list.consents(), style);
}

absl::StatusOr<std::string> ToText(const v1::ConsentView& consent,
                                   const TextStyle& style) {
  Facts facts;
  facts.Add("Consent", Printable(consent.grant_id()));
  facts.Add("Case", Printable(consent.case_id()));
  facts.Add("Agreement", Words(consent.agreement()));
  facts.Add("Status", Words(consent.status()));
  facts.Add("Revoked by", Words(consent.revoked_by()));
  facts.Add("Collected", LongTimeText(consent.collected_at_s(), style));
  facts.Add("Valid until", LongTimeText(consent.until_s(), style));
  facts.Add("Takes the place of", Printable(consent.supersedes()));
  ASSIGN_OR_RETURN(const std::string provisions,
                   Records(consent.provisions_json(), ProvisionText, style));
  ASSIGN_OR_RETURN(const std::string exclusions,
                   Records(consent.exclusions_json(), ExclusionText, style));
  std::string text = absl::StrCat(facts.Text(), provisions, exclusions);
  if (!consent.access().empty()) {
    Table table({"Member", "Section", "View", "Shared", "Until"});
    for (const v1::ConsentAccess& access : consent.access())
      table.Add({access.member(), access.section(), access.view(),
                 TimeText(access.shared_at_s(), style),
                 TimeText(access.until_s(), style)});
    absl::StrAppend(&text, "\n", Heading("Who has what by it", style), "\n",
                    table.Text(style));
  }
  if (!consent.recipients().empty())
    absl::StrAppend(&text, "\n", Heading("Asked to erase", style), "\n",
                    AnswerRows(consent.recipients(), style));
  return text;
}

absl::StatusOr<std::string> ToText(const v1::ListCasesResponse& list,
                                   const TextStyle& style) {
  if (list.cases().empty()) return "No cases.\n";
  Table table({"Case", "Opened", "Changed", "Referrals", "Opened here"});
  for (const v1::CaseRow& row : list.cases())
    table.Add({ShortId(row.case_id()), TimeText(row.opened_at_s(), style),
               TimeText(row.changed_at_s(), style),
               absl::StrCat(row.referrals()), YesNo(row.own())});
  return table.Text(style);
}

absl::StatusOr<std::string> ToText(const v1::EvidenceDocument& document,
                                   const TextStyle&) {
  return Printable(absl::StrCat(
      "Version ", document.version(), " of ", document.referral_id(),
      ", as entry ", document.entry(), " of the log vouches for it. Shown: ",
      document.sections().empty() ? "no section"
                                  : absl::StrJoin(document.sections(), ", "),
      ".\nFor a court: amparo-audit prove ", document.entry(),
      " --document FILE --out pack.json\n"),
                   /*lines=*/true);
}

absl::StatusOr<std::string> ToText(const v1::CaseOpening& opening,
                                   const TextStyle& style) {
  std::string text =
      absl::StrCat("Case ", opening.case_id(), " with ", opening.envelopes(),
                   " message(s). For the auditor: amparo-audit replay --case "
                   "FILE\n");
  if (opening.unopened() > 0)
    absl::StrAppend(&text, opening.unopened(),
                    " more stay closed: refused, waiting, sent again since, or older "
                    "than what this agent keeps of them.\n");
  const uint32_t erased = std::min(opening.erased(), opening.withheld());
  const uint32_t withheld = opening.withheld() - erased;
  if (withheld > 0)
    absl::StrAppend(&text, "Which sections ", withheld,
                    " of them held is your word",
                    opening.with_sections()
                        ? ": what they say may not be given out, or is not "
                          "here.\n"
                        : "; --with-sections proves it, and shows what they "
                          "say.\n");
  if (erased > 0)
    absl::StrAppend(&text, "Which sections ", erased,
                    " of them held is your word and stays so: some were "
                    "erased here, the last on ",
                    LongTimeText(opening.erased_at_s(), style),
                    ". Their sender can prove it.\n");
  return Printable(text, /*lines=*/true);
}

absl::StatusOr<std::string> ToText(const v1::CaseView& view,
                                   const TextStyle& style) {
  Facts facts;
  facts.Add("Case", Printable(view.row().case_id()));
  facts.Add("Opened", LongTimeText(view.row().opened_at_s(), style));
  facts.Add("Changed", LongTimeText(view.row().changed_at_s(), style));
  facts.Add("Opened here", YesNo(view.row().own()));
  std::string text = facts.Text();
  const auto add = [&](absl::string_view title, const std::string& rows) {
    if (!rows.empty())
      absl::StrAppend(&text, "\n", Heading(title, style), "\n", rows);
  };
  add("Referrals", ReferralRows(view.referrals(), style));
  add("Consents", ConsentRows(view.consents(), style));
  add("What happened", EventRows(view.events(), style));
  return text;
}

}  // namespace amparo::officer

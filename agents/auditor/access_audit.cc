#include "agents/auditor/access_audit.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/clock.h"
#include "base/printable.h"
#include "base/status.h"

namespace amparo::auditor {
namespace {

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json NumberOrNull(const std::optional<uint64_t>& number) {
  return number.has_value() ? Json(*number) : Json(nullptr);
}

// How far the network's log vouches for the records.
std::string AnchorText(const AccessAudit& audit) {
  const AccessVerdict& verdict = audit.verdict;
  if (!audit.asked_log)
    return "Not compared with the network's log: give --broker or --export, "
           "else nobody but the institution vouches for any of it.";
  if (verdict.anchors == 0)
    return "The network's log has no checkpoint of this access log: nobody but "
           "the institution vouches for any of it.";
  std::string text = absl::StrCat(
      verdict.anchors, " checkpoint(s) of it stand in the network's log. ");
  if (verdict.anchored == verdict.records)
    absl::StrAppend(&text, "All records are anchored there.");
  else if (verdict.anchored == 0 && verdict.newer > 0 && verdict.ok())
    absl::StrAppend(&text,
                    "All are over more records than this file has: only the "
                    "institution's own signature vouches for these.");
  else if (verdict.anchored == 0)
    absl::StrAppend(&text, "None of the records fits them.");
  else
    absl::StrAppend(&text, "Records 0 to ", verdict.anchored - 1,
                    " are anchored there; from record ", verdict.anchored,
                    " on only the institution's own signature vouches.");
  return text;
}

std::string LostText(const AccessVerdict& verdict) {
  if (!verdict.restored_at.has_value()) return "";
  return absl::StrCat(
      "RESTORED: in entry ", verdict.restored_at->value(),
      " of the network's log the institution made a key by its identity alone, "
      "as an agent does that came back from a backup. Of the records that were "
      "anchored before, ",
      verdict.lost_to - verdict.lost_from, " (", verdict.lost_from, " to ",
      verdict.lost_to - 1, ") are not proven to be in this file, and at least ",
      verdict.lost_at_least,
      " are not: lost, or taken out. Those of before the restore that are here "
      "are its own word. Ask which, and see its backups.\n");
}

std::string NewerText(const AccessVerdict& verdict) {
  if (verdict.newer == 0) return "";
  return absl::StrCat(
      "NOT THE NEWEST: the file ends",
      verdict.ends_at.has_value()
          ? absl::StrCat(" with a record of ", FormatUtc(*verdict.ends_at))
          : "",
      ", and the network's log has checkpoints over ", verdict.newer,
      " more record(s), the last of ", FormatUtc(*verdict.newer_at),
      ". An older export is so, and one that holds them back: what they say "
      "no answer from this file counts. Ask for a newer export.\n");
}

std::string FindingText(const AccessFinding& finding) {
  std::string text = absl::StrCat(
      "  ",
      finding.record.has_value()
          ? absl::StrCat("record ", *finding.record, ": ")
          : "",
      absl::string_view(NameOf(finding.fault)), ": ", finding.text, "\n");
  if (!finding.check.empty())
    absl::StrAppend(&text, "      to check: ", finding.check, "\n");
  return text;
}

std::string Verdict(const AccessAudit& audit) {
  const AccessVerdict& verdict = audit.verdict;
  if (!verdict.ok())
    return absl::StrCat("Result: NOT OK, ",
                        verdict.findings.size() + verdict.findings_omitted,
                        " finding(s)",
                        verdict.first_bad_record().has_value()
                            ? absl::StrCat("; the first bad record is ",
                                           *verdict.first_bad_record())
                            : "",
                        ".\n");
  if (audit.asked_log && !audit.log_ok)
    return "Result: NOT OK. The access log fits, but the network's log itself "
           "has findings: see amparo-audit replay.\n";
  if (!audit.asked_log)
    return "Result: the export fits itself; no more can be said without the "
           "network's log.\n";
  std::string text = "Result: OK";
  if (verdict.restored_at.has_value())
    absl::StrAppend(&text, ", BUT OF ", verdict.lost_to - verdict.lost_from,
                    " ANCHORED RECORDS THAT NOTHING PROVES HERE AT LEAST ",
                    verdict.lost_at_least, " ARE GONE since a restore");
  if (verdict.newer > 0)
    absl::StrAppend(&text, ", BUT ", verdict.newer,
                    " RECORD(S) ANCHORED SINCE ARE NOT IN THIS FILE, until ",
                    FormatUtc(*verdict.newer_at));
  return absl::StrCat(text,
                      ". The records that are here are those that were "
                      "signed",
                      audit.root_pinned ? ""
                                        : ", if the first charter is the "
                                          "right one",
                      ".\n");
}

void EachRecord(const AccessExport& log,
                const std::function<void(const AccessRecord&)>& take) {
  for (const absl::string_view line : log.lines) {
    const absl::StatusOr<AccessRecord> record =
        DecodeAccessRecord(AsBytes(line));
    if (record.ok()) take(*record);
  }
}

}  // namespace

absl::StatusOr<AccessAudit> AuditAccessLog(const AccessExport& log,
                                           LeafSource* source,
                                           ReplayOptions options) {
  AccessAudit audit;
  AccessContext context;
  if (source == nullptr) {
    audit.verdict = JudgeAccessLog(log, context);
    return audit;
  }
  options.access_anchors = [&](const AccessAnchor& anchor) {
    context.anchors.push_back(anchor);
  };
  KeyDirectory keys;
  options.network = [&](const NetworkFold& network) { keys = network.keys(); };
  ASSIGN_OR_RETURN(const Report report, Replay(*source, options));
  context.network = report.network;
  context.keys = [&](const std::string& member) {
    AccessKeys found;
    const absl::StatusOr<MemberId> id = MemberId::Parse(member);
    if (!id.ok()) return found;
    for (const SignerRecord& signer : keys.SignersOf(*id))
      found.keys.push_back(signer.key);
    found.alone = MadeAlone(keys, *id);
    return found;
  };
  audit.asked_log = true;
  audit.log_ok = report.ok();
  audit.root_pinned = report.root_pinned;
  audit.verdict = JudgeAccessLog(log, context);
  return audit;
}

absl::Status LearnRecords(const AccessExport& log, AccessPick& pick) {
  if (!pick.filter().NeedsAll()) return absl::OkStatus();
  EachRecord(log, [&](const AccessRecord& record) { pick.Learn(record); });
  return pick.CheckKnown();
}

void PickRecords(const AccessExport& log, AccessPick& pick,
                 const std::function<void(const AccessRecord&)>& take) {
  EachRecord(log, [&](const AccessRecord& record) {
    if (pick.Takes(record)) take(record);
  });
}

Json ToJson(const AccessAudit& audit) {
  const AccessVerdict& verdict = audit.verdict;
  Json findings = Json::array();
  for (const AccessFinding& finding : verdict.findings)
    findings.push_back({{"code", std::string(NameOf(finding.fault))},
                        {"record", NumberOrNull(finding.record)},
                        {"text", finding.text},
                        {"check", TextOrNull(finding.check)}});
  return {{"schema", "access_log_check/1"},
          {"ok", audit.ok()},
          {"network", TextOrNull(verdict.network)},
          {"member", TextOrNull(verdict.member)},
          {"size", verdict.records},
          {"log_asked", audit.asked_log},
          {"log_ok", audit.asked_log ? Json(audit.log_ok) : Json(nullptr)},
          {"root_pinned", audit.root_pinned},
          {"anchors", verdict.anchors},
          {"anchored", verdict.anchored},
          {"restored_at", verdict.restored_at.has_value()
                              ? Json(verdict.restored_at->value())
                              : Json(nullptr)},
          {"lost", verdict.lost_to - verdict.lost_from},
          {"lost_at_least", verdict.lost_at_least},
          {"newer", verdict.newer},
          {"newer_at", verdict.newer_at.has_value()
                           ? Json(FormatUtc(*verdict.newer_at))
                           : Json(nullptr)},
          {"ends_at", verdict.ends_at.has_value()
                          ? Json(FormatUtc(*verdict.ends_at))
                          : Json(nullptr)},
          {"first_bad_record", NumberOrNull(verdict.first_bad_record())},
          {"findings", std::move(findings)},
          {"findings_omitted", verdict.findings_omitted}};
}

Json ToJson(const AccessRecord& record) {
  return {{"seq", record.seq},
          {"at", FormatUtc(record.at)},
          {"officer", record.officer},
          {"affiliation", record.affiliation},
          {"action", record.action},
          {"case", TextOrNull(record.case_pseudonym)},
          {"sections", record.sections},
          {"grant_or_basis", TextOrNull(record.grant_or_basis)},
          {"justification", TextOrNull(record.justification)},
          {"outcome", record.outcome},
          {"from", TextOrNull(record.from)},
          {"supersedes", TextOrNull(record.supersedes)},
          {"review", TextOrNull(record.review)}};
}

Json ToJson(const BasisReview& review) {
  return {{"state", std::string(NameOf(review.state))},
          {"due", FormatUtc(review.due)},
          {"outcome", TextOrNull(review.outcome)},
          {"officer", TextOrNull(review.officer)},
          {"record", NumberOrNull(review.record)},
          {"at", review.at.has_value() ? Json(FormatUtc(*review.at))
                                       : Json(nullptr)}};
}

std::string ToText(const AccessAudit& audit) {
  const AccessVerdict& verdict = audit.verdict;
  std::string text = absl::StrCat(
      "Access log of ", verdict.member.empty() ? "(unknown)" : verdict.member,
      verdict.network.empty() ? "" : " in ", verdict.network, ", ",
      verdict.records, " records\n", AnchorText(audit), "\n", LostText(verdict),
      NewerText(verdict));
  if (!verdict.findings.empty()) absl::StrAppend(&text, "\nFindings\n");
  for (const AccessFinding& finding : verdict.findings)
    absl::StrAppend(&text, FindingText(finding));
  if (verdict.findings_omitted > 0)
    absl::StrAppend(&text, "  and ", verdict.findings_omitted, " more\n");
  return Printable(absl::StrCat(text, "\n", Verdict(audit)));
}

std::string ToText(const AccessRecord& record) {
  std::string line =
      absl::StrFormat("%6d  %s  %s  %-18s", record.seq, FormatUtc(record.at),
                      record.officer.substr(0, 10), record.action);
  for (const std::string& part :
       {record.case_pseudonym.substr(0, 10),
        absl::StrJoin(record.sections, ","),
        record.grant_or_basis.substr(0, 10), record.review,
        record.outcome == "ok" ? "" : record.outcome})
    if (!part.empty()) absl::StrAppend(&line, " ", part);
  if (!record.supersedes.empty())
    absl::StrAppend(&line, " in place of ", record.supersedes.substr(0, 10));
  return Printable(line) + "\n";
}

std::string ToText(const BasisReview& review) {
  const std::string by =
      review.record.has_value()
          ? absl::StrCat("reviewed as ", review.outcome, " by ",
                         review.officer.substr(0, 10), " at ",
                         FormatUtc(*review.at), ", record ", *review.record)
          : "not reviewed";
  const absl::string_view when =
      review.state == BasisReview::State::kDue      ? "still in time"
      : review.state == BasisReview::State::kInTime ? "in time"
                                                    : "LATE";
  return Printable(absl::StrCat("        ", by, "; due ", FormatUtc(review.due),
                                ": ", when)) +
         "\n";
}

std::string NotesOn(const AccessPick& pick) {
  const AccessFilter& filter = pick.filter();
  std::string text;
  if (filter.late_reviews || filter.without_consent)
    absl::StrAppend(
        &text, "Reviews are judged at ",
        pick.judged_at() == absl::InfinitePast() ? "no time at all: no record"
                                                 : FormatUtc(pick.judged_at()),
        ", the time of ",
        pick.judged_by_anchor() ? "the newest checkpoint of it in the "
                                  "network's log"
                                : "the newest record",
        ".\n");
  if (filter.outside_own_cases)
    absl::StrAppend(&text,
                    filter.own_cases
                        ? "Own cases are those of the list."
                        : "An officer's own cases are those in which "
                          "it recorded or changed a consent, or sent, "
                          "changed or answered a referral.",
                    "\n");
  if (pick.unseen_cases() > 0)
    absl::StrAppend(&text, "No record names ", pick.unseen_cases(),
                    " case(s) of the list.\n");
  return text;
}

}  // namespace amparo::auditor

#include "agents/auditor/report.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/clock.h"
#include "base/printable.h"

namespace amparo::auditor {
namespace {

constexpr std::array<const char*, kStepCount> kStepNames = {
    "charter_chain", "key_events", "tiles", "checkpoint",  "consistency",
    "openings",      "signatures", "links", "disclosures", "report"};

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json IndexOrNull(const std::optional<LeafIndex>& index) {
  return index.has_value() ? Json(index->value()) : Json(nullptr);
}

Json StepsJson(const Report& report) {
  Json steps = Json::array();
  for (size_t i = 0; i < kStepCount; ++i) {
    const StepResult& result = report.step(static_cast<Step>(i));
    const std::optional<bool> ok = result.Ok();
    steps.push_back({{"step", i + 1},
                     {"name", kStepNames[i]},
                     {"ok", ok.has_value() ? Json(*ok) : Json(nullptr)},
                     {"checked", result.checked},
                     {"skipped", TextOrNull(result.skipped)}});
  }
  return steps;
}

Json FindingsJson(const Report& report) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings())
    findings.push_back({{"code", std::string(NameOf(finding.code))},
                        {"severity", IsFatal(finding.code) ? "fatal" : "error"},
                        {"index", IndexOrNull(finding.index)},
                        {"text", finding.text},
                        {"check", TextOrNull(finding.check)}});
  return findings;
}

Json CountsJson(const Counts& counts) {
  return {{"envelopes", counts.envelopes},
          {"receipts", counts.receipts},
          {"charters", counts.charters},
          {"key_events", counts.key_events},
          {"erasures", counts.erasures},
          {"unopened", counts.unopened},
          {"anchors", counts.anchors},
          {"recalls", counts.recalls},
          {"expiries", counts.expiries},
          {"access_log_checkpoints", counts.access_logs}};
}

Json CasesJson(const std::vector<OpenedCase>& cases) {
  Json list = Json::array();
  for (const OpenedCase& one : cases) {
    Json anchors = Json::array();
    for (const LeafIndex leaf : one.anchors) anchors.push_back(leaf.value());
    Json without = Json::array();
    for (const WithoutConsentRow& row : one.without_consent)
      without.push_back({{"index", row.index.value()},
                         {"from", row.from},
                         {"to", row.to},
                         {"basis", row.basis},
                         {"reason", row.reason},
                         {"sections", row.sections},
                         {"proven", row.proven}});
    list.push_back({{"case", one.case_id},
                    {"members", one.members},
                    {"envelopes", one.envelopes},
                    {"disclosures", one.disclosures},
                    {"unproven", one.unproven},
                    {"unopened", one.unopened},
                    {"grants_undated", one.grants_undated},
                    {"one_sided", one.one_sided},
                    {"bases_undated", one.bases_undated},
                    {"provisions", one.provisions},
                    {"provisions_hidden", one.provisions_hidden},
                    {"anchors_opened", one.anchors_opened},
                    {"anchors_unopened", one.anchors_unopened},
                    {"anchors", std::move(anchors)},
                    {"without_consent", std::move(without)}});
  }
  return list;
}

std::string CaseText(const OpenedCase& one) {
  std::string text = absl::StrCat(
      "  case ", one.case_id, ", opened by ", absl::StrJoin(one.members, ", "),
      ": ", one.envelopes, " envelope(s), ", one.disclosures,
      " section(s) disclosed; unproven ", one.unproven, ", unopened ",
      one.unopened, ", purpose told by one end ", one.one_sided,
      "\n  provisions of its consents: ",
      one.provisions - one.provisions_hidden, " of ", one.provisions,
      " digests shown", "\n  anchors of these members: ", one.anchors_opened,
      " opened, ", one.anchors_unopened, " not");
  if (!one.anchors.empty())
    absl::StrAppend(&text, " (entries ",
                    absl::StrJoin(one.anchors, " ",
                                  [](std::string* out, LeafIndex leaf) {
                                    absl::StrAppend(out, leaf.value());
                                  }),
                    one.anchors.size() < one.anchors_unopened ? " ..." : "",
                    ")");
  for (const WithoutConsentRow& row : one.without_consent)
    absl::StrAppend(&text, "\n  WITHOUT CONSENT, entry ", row.index.value(),
                    ": ", row.from, " to ", row.to, ", ", row.reason, " (",
                    row.basis, "): ", absl::StrJoin(row.sections, ", "),
                    row.proven ? "" : "; by its signer's word");
  return text + "\n";
}

Json RestoredJson(const std::vector<RestoredLog>& restored) {
  Json list = Json::array();
  for (const RestoredLog& one : restored)
    list.push_back({{"member", one.member},
                    {"index", one.index.value()},
                    {"records_before", one.records_before},
                    {"records_after", one.records_after}});
  return list;
}

Json DisownedJson(const std::vector<DisownedMail>& disowned) {
  Json list = Json::array();
  for (const DisownedMail& one : disowned)
    list.push_back({{"member", one.member},
                    {"charter_index", one.charter.value()},
                    {"first", one.first.value()},
                    {"last", one.last.value()},
                    {"envelopes", one.envelopes},
                    {"at_least", one.at_least}});
  return list;
}

std::string StepLine(size_t i, const StepResult& result) {
  const std::optional<bool> ok = result.Ok();
  const char* word = ok.has_value()       ? *ok ? "ok" : "NOT OK"
                     : result.checked > 0 ? "in part"
                                          : "skipped";
  return absl::StrFormat("  %2d  %-14s %-8s %8d checked%s%s\n", i + 1,
                         kStepNames[i], word, result.checked,
                         result.skipped.empty() ? "" : "; ", result.skipped);
}

std::string FindingText(const Finding& finding) {
  std::string text = absl::StrCat(
      "  ",
      finding.index.has_value()
          ? absl::StrCat("entry ", finding.index->value(), ": ")
          : "",
      absl::string_view(NameOf(finding.code)),
      IsFatal(finding.code) ? " (fatal): " : ": ", finding.text, "\n");
  if (!finding.check.empty())
    absl::StrAppend(&text, "      to check: ", finding.check, "\n");
  return text;
}

std::string Verdict(const Report& report) {
  if (report.ok())
    return absl::StrCat(
        "Result: OK. Every step that could be checked fits what was signed",
        report.root_pinned ? "" : ", if the first charter is the right one",
        ".\n");
  return absl::StrCat("Result: NOT OK, ",
                      report.findings().size() + report.findings_omitted(),
                      " finding(s)",
                      report.first_bad_index().has_value()
                          ? absl::StrCat("; the first bad entry is ",
                                         report.first_bad_index()->value())
                          : "",
                      ".\n");
}

}  // namespace

std::vector<std::string> Remarks(const Report& report) {
  std::vector<std::string> remarks;
  for (const RestoredLog& one : report.restored())
    remarks.push_back(absl::StrCat(
        "entry ", one.index.value(), ": the access log of ", one.member,
        " began anew with ", one.records_after, " records, and had ",
        one.records_before,
        " before the member made a key by its identity alone, as after a "
        "restore: at least ",
        one.records_before - std::min(one.records_before, one.records_after),
        " are gone (amparo-audit access-log)"));
  for (const DisownedMail& one : report.disowned())
    remarks.push_back(absl::StrCat(
        "entries ", one.first.value(), " to ", one.last.value(), ": ",
        one.at_least ? "at least " : "", one.envelopes, " envelope(s) of ",
        one.member, " are not to be believed, by the charter of entry ",
        one.charter.value(),
        ": it was no member any more when they were logged. Who had not taken "
        "them by then refuses them"));
  return remarks;
}

absl::string_view NameOf(Step step) {
  return kStepNames[static_cast<size_t>(step)];
}

std::optional<bool> StepResult::Ok() const {
  if (failed) return false;
  if (!skipped.empty()) return std::nullopt;
  return true;
}

void Report::Checked(Step step, uint64_t count) {
  steps_[static_cast<size_t>(step)].checked += count;
}

void Report::Add(Step step, Finding finding) {
  steps_[static_cast<size_t>(step)].failed = true;
  if (finding.index.has_value() &&
      (!first_bad_index_.has_value() || *finding.index < *first_bad_index_))
    first_bad_index_ = finding.index;
  if (finding.check.empty())
    finding.check = std::string(HowToCheck(finding.code));
  if (findings_.size() == kFindingsMax) {
    ++findings_omitted_;
    return;
  }
  const auto told = [&](const Finding& other) {
    return other.code == finding.code && other.index == finding.index;
  };
  // Several steps may notice one thing; without an index each is its own.
  if (!finding.index.has_value() ||
      std::none_of(findings_.begin(), findings_.end(), told))
    findings_.push_back(std::move(finding));
}

void Report::AddRestored(RestoredLog log) {
  if (restored_.size() < kFindingsMax) restored_.push_back(std::move(log));
}

void Report::AddDisowned(DisownedMail mail) {
  if (disowned_.size() < kFindingsMax) disowned_.push_back(std::move(mail));
}

void Report::Skip(Step step, absl::string_view reason) {
  std::string& skipped = steps_[static_cast<size_t>(step)].skipped;
  if (skipped.empty()) skipped = std::string(reason);
}

void Report::OrderFindings() {
  const auto rank = [](const Finding& finding) {
    return std::make_tuple(!finding.index.has_value(),
                           finding.index.value_or(LeafIndex(0)), finding.code);
  };
  std::stable_sort(
      findings_.begin(), findings_.end(),
      [&](const Finding& a, const Finding& b) { return rank(a) < rank(b); });
}

bool Report::ok() const {
  return std::none_of(steps_.begin(), steps_.end(),
                      [](const StepResult& step) { return step.failed; });
}

const StepResult& Report::step(Step step) const {
  return steps_[static_cast<size_t>(step)];
}

Json ToJson(const Report& report) {
  return {{"schema", "replay/1"},
          {"ok", report.ok()},
          {"network", TextOrNull(report.network)},
          {"root_pinned", report.root_pinned},
          {"first_charter", report.first_charter.has_value()
                                ? Json(report.first_charter->ToString())
                                : Json(nullptr)},
          {"charter_version", report.charter_version},
          {"size", report.size.value()},
          {"resumed_from", report.resumed_from.has_value()
                               ? Json(report.resumed_from->value())
                               : Json(nullptr)},
          {"root_hash", report.root_hash.ToString()},
          {"checkpoint_at", report.checkpoint_at.has_value()
                                ? Json(FormatUtc(*report.checkpoint_at))
                                : Json(nullptr)},
          {"cosignatures", report.cosignatures},
          {"quorum", report.quorum},
          {"quorum_charter", report.quorum_charter},
          {"steps", StepsJson(report)},
          {"first_bad_index", IndexOrNull(report.first_bad_index())},
          {"findings", FindingsJson(report)},
          {"findings_omitted", report.findings_omitted()},
          {"counts", CountsJson(report.counts)},
          {"access_logs_restored", RestoredJson(report.restored())},
          {"disowned", DisownedJson(report.disowned())},
          {"cases", CasesJson(report.cases)}};
}

Json ToJson(const TimelineEntry& entry) {
  return {{"index", entry.index.value()},
          {"at", FormatUtc(entry.at)},
          {"event", entry.event},
          {"from", TextOrNull(entry.from)},
          {"to", TextOrNull(entry.to)},
          {"envelope_id", TextOrNull(entry.envelope_id)},
          {"digest", TextOrNull(entry.digest)},
          {"detail", TextOrNull(entry.detail)}};
}

std::string FirstCharterText(const Report& report) {
  if (!report.first_charter.has_value()) return "";
  return absl::StrCat("First charter ", report.first_charter->ToString(),
                      report.root_pinned
                          ? ", as pinned\n"
                          : ": compare it with the paper protocol\n");
}

std::string ToText(const Report& report) {
  std::string text = absl::StrCat(
      "Network ", report.network.empty() ? "(unknown)" : report.network,
      ", charter version ", report.charter_version,
      report.root_pinned ? " (root pinned)" : " (root NOT pinned)", "\n",
      FirstCharterText(report), report.size.value(), " entries, root ",
      report.root_hash.ToString(),
      report.resumed_from.has_value()
          ? absl::StrCat("\nThe first ", report.resumed_from->value(),
                         " were replayed before, and not again")
          : "",
      "\nCosignatures ", report.cosignatures, ", quorum ", report.quorum,
      report.quorum_charter != report.charter_version
          ? absl::StrCat(" of charter version ", report.quorum_charter)
          : "",
      report.quorum == 0 ? ": nobody else watches this log" : "",
      "\n\nSteps\n");
  for (size_t i = 0; i < kStepCount; ++i)
    absl::StrAppend(&text, StepLine(i, report.step(static_cast<Step>(i))));
  if (!report.cases.empty()) absl::StrAppend(&text, "\nOpened cases\n");
  for (const OpenedCase& one : report.cases)
    absl::StrAppend(&text, CaseText(one));
  const std::vector<std::string> remarks = Remarks(report);
  if (!remarks.empty()) absl::StrAppend(&text, "\nRemarks\n");
  for (const std::string& remark : remarks)
    absl::StrAppend(&text, "  ", remark, "\n");
  if (!report.findings().empty()) absl::StrAppend(&text, "\nFindings\n");
  for (const Finding& finding : report.findings())
    absl::StrAppend(&text, FindingText(finding));
  if (report.findings_omitted() > 0)
    absl::StrAppend(&text, "  and ", report.findings_omitted(), " more\n");
  return Printable(absl::StrCat(text, "\n", Verdict(report)));
}

std::string ToText(const TimelineEntry& entry) {
  std::string who = entry.from;
  if (!entry.to.empty()) absl::StrAppend(&who, " -> ", entry.to);
  std::string line =
      absl::StrFormat("%6d  %s  %-10s %-20s", entry.index.value(),
                      FormatUtc(entry.at), entry.event, who);
  for (const std::string* part : {&entry.detail, &entry.envelope_id})
    if (!part->empty()) absl::StrAppend(&line, " ", *part);
  return Printable(
      absl::StrCat(line.substr(0, line.find_last_not_of(' ') + 1), "\n"));
}

}  // namespace amparo::auditor

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

std::string CaseText(const OpenedCase& one) {
  std::string text = absl::StrCat(
      "  case ", one.case_id, ", opened by ", absl::StrJoin(one.members, ", "),
      ": ", one.envelopes, " envelope(s), ", one.disclosures,
      " section(s) disclosed; by word alone ", one.unproven,
      ", left sealed by who opened the case ", one.unopened,
      ", purpose told by one end ", one.one_sided,
      "\n  provisions of its consents: ",
      one.provisions - one.provisions_hidden, " of ", one.provisions,
      " digests shown", "\n  anchors of these members: ", one.anchors_opened,
      " of this case, ", one.anchors_unopened, " not shown");
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

std::string StepLine(size_t i, const Report& report) {
  const StepResult& result = report.step(static_cast<Step>(i));
  const std::optional<bool> ok = result.Ok();
  if (report.HasNoNews(static_cast<Step>(i)))
    return absl::StrFormat("  %2d  %-14s no news\n", i + 1, kStepNames[i]);
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
      IsFatal(finding.code) ? " (fatal): " : ": ", finding.text, "\n",
      finding.known ? "      found by an earlier replay already; if it was "
                      "mended since, replay once without --state\n"
                    : "");
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

namespace {

void Order(std::vector<Finding>& findings) {
  const auto rank = [](const Finding& finding) {
    return std::make_tuple(!finding.index.has_value(),
                           finding.index.value_or(LeafIndex(0)), finding.code);
  };
  std::stable_sort(
      findings.begin(), findings.end(),
      [&](const Finding& a, const Finding& b) { return rank(a) < rank(b); });
}

}  // namespace

void Report::OrderFindings() { Order(findings_); }

Report::Known Report::known() const {
  Known known{.findings = findings_};
  for (size_t i = 0; i < kStepCount; ++i) known.failed[i] = steps_[i].failed;
  for (Finding& finding : known.findings) finding.known = true;
  Order(known.findings);
  return known;
}

void Report::AddKnown(const Known& known) {
  for (size_t i = 0; i < kStepCount; ++i) steps_[i].failed |= known.failed[i];
  for (const Finding& finding : known.findings) {
    if (finding.index.has_value() &&
        (!first_bad_index_.has_value() || *finding.index < *first_bad_index_))
      first_bad_index_ = finding.index;
    if (findings_.size() < kFindingsMax) findings_.push_back(finding);
  }
}

bool Report::ok() const {
  return std::none_of(steps_.begin(), steps_.end(),
                      [](const StepResult& step) { return step.failed; });
}

namespace {

// Of entries alone, so that there is nothing to look at where none came. The
// others look at what this run was given, too: at its checkpoint, and at what
// it brings into force; at older checkpoints; at opened cases.
bool IsAboutEntries(Step step) {
  switch (step) {
    case Step::kKeyEvents:
    case Step::kTiles:
    case Step::kOpenings:
    case Step::kSignatures:
    case Step::kLinks:
      return true;
    case Step::kCharterChain:
    case Step::kCheckpoint:
    case Step::kConsistency:
    case Step::kDisclosures:
    case Step::kReport:
      break;
  }
  return false;
}

}  // namespace

bool Report::HasNoNews(Step step) const {
  const StepResult& result = this->step(step);
  // Its signature and its quorum are verified each time.
  if (step == Step::kCheckpoint || !resumed_from.has_value()) return false;
  return !result.failed && result.checked == 0 &&
         (result.skipped.empty() || (NothingNew() && IsAboutEntries(step)));
}

const StepResult& Report::step(Step step) const {
  return steps_[static_cast<size_t>(step)];
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
                         " were replayed before, and not again: ",
                         report.NothingNew()
                             ? "nothing was logged since"
                             : "this is about what was logged since")
          : "",
      "\nCosignatures ", report.cosignatures, ", quorum ", report.quorum,
      report.quorum_charter != report.charter_version
          ? absl::StrCat(" of charter version ", report.quorum_charter)
          : "",
      report.quorum == 0 ? ": nobody else watches this log" : "",
      "\n\nSteps\n");
  for (size_t i = 0; i < kStepCount; ++i)
    absl::StrAppend(&text, StepLine(i, report));
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

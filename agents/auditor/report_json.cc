#include <utility>

#include "agents/auditor/report.h"
#include "base/clock.h"

namespace amparo::auditor {
namespace {

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
                     {"name", std::string(NameOf(static_cast<Step>(i)))},
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
                        {"check", TextOrNull(finding.check)},
                        {"known", finding.known}});
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

Json MembersJson(const std::vector<ReportMember>& members) {
  Json list = Json::array();
  for (const ReportMember& one : members)
    list.push_back({{"id", one.id},
                    {"name", one.name},
                    {"kind", one.kind},
                    {"status", one.status}});
  return list;
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

}  // namespace

Json ToJson(const Report& report) {
  return {{"schema", "replay/1"},
          {"ok", report.ok()},
          {"network", TextOrNull(report.network)},
          {"root_pinned", report.root_pinned},
          {"first_charter", report.first_charter.has_value()
                                ? Json(report.first_charter->ToString())
                                : Json(nullptr)},
          {"charter_version", report.charter_version},
          {"members", MembersJson(report.members)},
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

}  // namespace amparo::auditor

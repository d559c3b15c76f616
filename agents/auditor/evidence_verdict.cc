// How a verdict about a pack is told.

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/auditor/evidence_check.h"
#include "base/clock.h"
#include "base/printable.h"

namespace amparo::auditor {
namespace {

std::string SubjectText(const EvidenceVerdict& verdict) {
  const TimelineEntry& row = verdict.subject;
  std::string text = absl::StrCat("Entry ", row.index.value(),
                                  " of the log of ", verdict.report.network,
                                  ", ", FormatUtc(row.at), ": ", row.event);
  if (!row.from.empty()) absl::StrAppend(&text, ", by ", row.from);
  if (!row.to.empty()) absl::StrAppend(&text, ", to ", row.to);
  if (!row.detail.empty()) absl::StrAppend(&text, ", ", row.detail);
  if (!row.digest.empty()) absl::StrAppend(&text, "\n  digest ", row.digest);
  return text + "\n";
}

std::string DocumentText(const EvidenceVerdict& verdict) {
  if (!verdict.claims.has_value()) return "";
  std::string text = absl::StrCat("\nDocument (", verdict.document_typ,
                                  "), signed by ", verdict.document_signer,
                                  "\n  ", DumpJson(*verdict.claims), "\n");
  for (const auto& [name, value] : verdict.disclosed)
    absl::StrAppend(&text, "  ", name, ": ", DumpJson(value), "\n");
  return text;
}

}  // namespace

Json ToJson(const EvidenceVerdict& verdict) {
  Json report = ToJson(verdict.report);
  Json disclosed = Json::object();
  for (const auto& [name, value] : verdict.disclosed) disclosed[name] = value;
  return {{"schema", "evidence_check/1"},
          {"ok", verdict.ok()},
          {"network", report["network"]},
          {"root_pinned", report["root_pinned"]},
          {"first_charter", report["first_charter"]},
          {"charter_version", report["charter_version"]},
          {"size", report["size"]},
          {"root_hash", report["root_hash"]},
          {"cosignatures", report["cosignatures"]},
          {"quorum", report["quorum"]},
          {"entry", ToJson(verdict.subject)},
          {"disowned", verdict.disowned},
          {"document", verdict.claims.has_value()
                           ? Json{{"typ", verdict.document_typ},
                                  {"signer", verdict.document_signer},
                                  {"claims", *verdict.claims},
                                  {"disclosed", std::move(disclosed)}}
                           : Json(nullptr)},
          {"findings", report["findings"]}};
}

std::string ToText(const EvidenceVerdict& verdict) {
  const Report& report = verdict.report;
  std::string text;
  if (verdict.ok()) {
    text = absl::StrCat(
        SubjectText(verdict), DocumentText(verdict), "\nIn the tree of ",
        report.size.value(), " entries with root ", report.root_hash.ToString(),
        "\n", FirstCharterText(report), "Charter version ",
        report.charter_version, "; cosignatures ", report.cosignatures,
        ", quorum ", report.quorum, "\n\nResult: OK",
        report.root_pinned ? "" : ", if the first charter is the right one",
        ". The pack proves that this stands in the log so signed. That nothing "
        "else was logged takes a replay: also that nothing ended the signer's "
        "key or membership between the last key event, suspension and charter "
        "in the pack and this entry.\n",
        verdict.disowned
            ? absl::StrCat("NOT TO BE BELIEVED, by a later charter: ",
                           verdict.subject.from,
                           " was no member any more when this was logged.\n")
            : "");
  } else {
    text = "Findings\n";
    for (const Finding& finding : report.findings())
      absl::StrAppend(&text, "  ",
                      finding.index.has_value()
                          ? absl::StrCat("entry ", finding.index->value(), ": ")
                          : "",
                      NameOf(finding.code), ": ", finding.text, "\n");
    absl::StrAppend(&text, "\nResult: NOT OK. This pack proves nothing.\n");
  }
  return Printable(text);
}

}  // namespace amparo::auditor

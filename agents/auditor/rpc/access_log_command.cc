#include <iostream>

#include "absl/strings/str_cat.h"
#include "agents/auditor/access_audit.h"
#include "agents/auditor/rpc/commands.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"

namespace amparo::auditor {
namespace {

absl::StatusOr<std::optional<absl::Time>> ReadTime(const std::string& text,
                                                   const char* field) {
  if (text.empty()) return std::optional<absl::Time>();
  const absl::StatusOr<absl::Time> time =
      ParseUtc(text.size() == 10 ? absl::StrCat(text, "T00:00:00Z") : text);
  if (!time.ok())
    return Usage("not a time: 2026-11-20 or 2026-11-20T09:00:00Z", field);
  return std::optional<absl::Time>(*time);
}

// At what time reviews were judged, where they were.
std::string JudgedJson(const AccessPick& pick) {
  const AccessFilter& filter = pick.filter();
  std::string text;
  if (filter.late_reviews || filter.without_consent)
    text = absl::StrCat(",\"judged_at\":",
                        pick.judged_at() == absl::InfinitePast()
                            ? "null"
                            : DumpJson(Json(FormatUtc(pick.judged_at()))),
                        ",\"judged_by\":",
                        pick.judged_by_anchor() ? "\"anchor\"" : "\"record\"");
  if (filter.own_cases)
    absl::StrAppend(&text, ",\"cases_unseen\":", pick.unseen_cases());
  return text;
}

}  // namespace

absl::StatusOr<int> RunAccessLog(const Arguments& arguments) {
  AccessFilter filter = arguments.filter;
  if (!arguments.own_cases.empty()) {
    ASSIGN_OR_RETURN(const std::string list,
                     ReadFile(arguments.own_cases, kOwnCasesBytesMax));
    ASSIGN_OR_RETURN(filter.own_cases, ParseOwnCases(list));
  }
  RETURN_IF_ERROR(CheckFilter(filter));
  ASSIGN_OR_RETURN(filter.from, ReadTime(arguments.from, "--from"));
  ASSIGN_OR_RETURN(filter.until, ReadTime(arguments.until, "--until"));
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(arguments.file, kAccessExportBytesMax));
  const AccessExport log = SplitAccessExport(text);
  AccessPick pick(filter);
  RETURN_IF_ERROR(LearnRecords(log, pick));
  std::unique_ptr<LeafSource> source;
  ReplayOptions options;
  if (arguments.NamesASource()) {
    ASSIGN_OR_RETURN(options.root, ReadRoot(arguments));
    ASSIGN_OR_RETURN(source, OpenSource(arguments));
  }
  ASSIGN_OR_RETURN(const AccessAudit audit,
                   AuditAccessLog(log, source.get(), std::move(options)));
  if (audit.verdict.anchored_at) pick.NoteAnchor(*audit.verdict.anchored_at);
  if (arguments.json) {
    std::string object = DumpJson(ToJson(audit));
    object.pop_back();  // its closing brace
    std::cout << object << ",\"records\":[";
    uint64_t matched = 0;
    PickRecords(log, pick, [&](const AccessRecord& record) {
      Json shown = ToJson(record);
      if (const auto review = pick.ReviewOf(record))
        shown["reviewed"] = ToJson(*review);
      std::cout << (matched++ == 0 ? "" : ",") << DumpJson(shown);
    });
    std::cout << "],\"matched\":" << matched << JudgedJson(pick) << "}\n";
  } else {
    uint64_t matched = 0;
    PickRecords(log, pick, [&](const AccessRecord& record) {
      ++matched;
      std::cout << ToText(record);
      if (const auto review = pick.ReviewOf(record))
        std::cout << ToText(*review);
    });
    std::cout << "\n"
              << matched << " of " << audit.verdict.records
              << " records match.\n"
              << NotesOn(pick) << ToText(audit);
  }
  return audit.ok() ? 0 : ExitOf("verification_failed");
}

}  // namespace amparo::auditor

#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/auditor/access_check.h"
#include "agents/auditor/access_filter.h"
#include "agents/auditor/leaf_source.h"
#include "agents/auditor/replay.h"

namespace amparo::auditor {

// An access log, judged, and what the network's log itself is worth.
struct AccessAudit {
  AccessVerdict verdict;
  bool asked_log = false;  // false: there was no log to compare with
  bool log_ok = false;     // its replay had no finding
  bool root_pinned = false;
  bool ok() const { return verdict.ok() && (!asked_log || log_ok); }
};

// Judges `log` against the network's log that `source` shows, which is
// replayed for it; `source` null: against itself alone. An error only when the
// source fails.
absl::StatusOr<AccessAudit> AuditAccessLog(const AccessExport& log,
                                           LeafSource* source,
                                           ReplayOptions options);

// Learns the records of `log` where the filter needs it; what
// AccessPick::CheckKnown says.
absl::Status LearnRecords(const AccessExport& log, AccessPick& pick);
// The records that `pick` takes, in order; lines that are no record are left
// out.
void PickRecords(const AccessExport& log, AccessPick& pick,
                 const std::function<void(const AccessRecord&)>& take);

// The object "access_log_check/1" without its records, and a record of it.
Json ToJson(const AccessAudit& audit);
Json ToJson(const AccessRecord& record);
Json ToJson(const BasisReview& review);
// For people.
std::string ToText(const AccessAudit& audit);
std::string ToText(const AccessRecord& record);  // one line
std::string ToText(const BasisReview& review);   // one line, below its record
// What else a reader of the records has to know; may be empty.
std::string NotesOn(const AccessPick& pick);

}  // namespace amparo::auditor

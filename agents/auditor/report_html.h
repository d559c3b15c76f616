#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agents/auditor/report.h"
#include "agents/auditor/tally.h"

namespace amparo::auditor {

// The report of a replay as one HTML page that needs nothing else: no script,
// no picture, no address is asked. Whatever comes from the log is escaped. For
// people who know the law and not the log. One thread at a time.
class HtmlReport {
 public:
  // The page lists so many entries; JSON has them all.
  static constexpr size_t kRowsMax = 2000;

  // In leaf order.
  void Add(const TimelineEntry& row);
  // After the last row; once. `made`: when the report was made.
  std::string Render(const Report& report, absl::Time made);

 private:
  Tally tally_;
  std::vector<TimelineEntry> rows_;
  uint64_t rows_seen_ = 0;
};

}  // namespace amparo::auditor

#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "agents/auditor/report.h"

// Names that programs use, as somebody reads them who knows the law and not the
// program. Not escaped.

namespace amparo::auditor {

// "A message is missing between two institutions"
absl::string_view TitleOf(FindingCode code);
// "imminent danger to life"; of a charter's own code its words.
std::string ReasonText(absl::string_view code);
std::string SectionText(absl::string_view slot);  // "risk (summary)"
// "message", "document dated"; and what the event says of itself.
std::string EventText(absl::string_view event);
std::string DetailText(const TimelineEntry& row);
std::string Words(absl::string_view code);  // "victim support"

}  // namespace amparo::auditor

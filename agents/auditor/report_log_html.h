#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agents/auditor/report.h"
#include "agents/auditor/tally.h"

namespace amparo::auditor {

// The second half of the page: institutions, what went by month, late
// deliveries, gaps, and the timeline, `rows` being the first of `seen` entries.
std::string LogHtml(const Report& report, const Tally& tally,
                    const std::vector<TimelineEntry>& rows, uint64_t seen);

}  // namespace amparo::auditor

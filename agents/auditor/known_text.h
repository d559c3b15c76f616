#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/auditor/erasures.h"
#include "agents/auditor/report.h"

// Findings as the lines of a ReplayState hold them: fields without a space.

namespace amparo::auditor {

// Steps that failed, "links,signatures"; none: "-".
std::string FailedText(const Report::Known& known);
absl::Status ParseFailed(absl::string_view text, Report::Known& known);

// Five fields, an excuse twelve, from the field `from` on; an error for what
// these do not make.
std::string FindingText(const Finding& finding);
absl::StatusOr<Finding> ParseFinding(
    const std::vector<absl::string_view>& fields, size_t from = 0);
std::string ExcuseText(const Erasures::Excuse& excuse);
absl::StatusOr<Erasures::Excuse> ParseExcuse(
    const std::vector<absl::string_view>& fields, size_t from = 0);

}  // namespace amparo::auditor

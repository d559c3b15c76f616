#pragma once

#include "absl/status/statusor.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/desk.h"
#include "proto/content/case_opening.h"

namespace amparo::agent {

// What this agent has of a case, for an auditor, as far as its copy of the log
// reaches: every envelope with what ties its document to the log, every consent
// whole; what it cannot open, refused mail too, by its place in the log.
// `with_sections`: also the plaintext of the sections. An error is the disk's.
absl::StatusOr<CaseOpening> GatherOpening(const Desk& desk, const Case& entry,
                                          bool with_sections);

}  // namespace amparo::agent

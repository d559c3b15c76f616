#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/access_log.h"
#include "agents/institution/core/case_book.h"
#include "base/kv/kv.h"
#include "proto/network/charter.h"

namespace amparo::agent {

// What a peer takes back of what this agent has of it, for the access log:
// noted with the event that does it, written right after. Nothing here is
// written twice, and nothing is lost by a crash in between.

// Adds to `rows` a record for each grant that `event`, not yet in `before`,
// ends or narrows here.
void NoteWithdrawn(const Charter& charter, const MemberId& self,
                   const Case& before, const CaseEvent& event, absl::Time now,
                   Batch& rows);

// Writes what was noted, in the log's order.
absl::Status LogWithdrawn(KeyValue& kv, AccessLog& access_log);

}  // namespace amparo::agent

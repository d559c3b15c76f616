#pragma once

#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/auditor/access_export.h"

namespace amparo::auditor {

// What an auditor asks an access log: who saw this case, what did this officer
// open, who opened this section. Empty asks nothing; ids may be beginnings.
struct AccessFilter {
  std::string case_id, officer, section, action, grant;
  std::optional<absl::Time> from, until;  // until: exclusive
  // Looks under a grant that was revoked earlier in the same log.
  bool after_revocation = false;
  // Whose ground is a basis without consent.
  bool without_consent = false;
};

// INVALID_ARGUMENT (code "usage") naming what is expected, for a section or an
// action that no record can have: its silence would read as an acquittal.
absl::Status CheckFilter(const AccessFilter& filter);

// Picks the records that a filter asks for. One thread at a time.
class AccessPick {
 public:
  explicit AccessPick(AccessFilter filter) : filter_(std::move(filter)) {}

  // Every record, in order: whether it is asked for.
  bool Takes(const AccessRecord& record);

 private:
  bool Fits(const AccessRecord& record) const;

  const AccessFilter filter_;
  std::set<std::string> revoked_;
};

}  // namespace amparo::auditor

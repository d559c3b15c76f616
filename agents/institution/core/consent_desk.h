#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/core/views.h"

namespace amparo::agent {

// What an officer can do with consents, and the cases they belong to.
// Thread-safe.
class ConsentDesk {
 public:
  explicit ConsentDesk(const Desk& desk) : desk_(desk) {}

  // `evidence`: bytes that are kept sealed here; the grant holds a salted hash.
  absl::StatusOr<ConsentView> Record(const Officer& officer,
                                     absl::string_view form_json,
                                     ByteView evidence,
                                     absl::string_view request_id);
  // A superseding grant, whole; members that hold the old one get their part.
  absl::StatusOr<ConsentView> Extend(const Officer& officer,
                                     absl::string_view id,
                                     absl::string_view form_json);
  // Everything, or (a part named) a superseding grant without it. Undelivered
  // envelopes that need it are taken back; members that hold sections by it are
  // asked to erase them.
  struct Part {
    std::string section, member, purpose;  // all empty: everything
  };
  absl::StatusOr<RevokeOutcome> Revoke(const Officer& officer,
                                       absl::string_view id, const Part& part);
  absl::StatusOr<std::vector<ConsentView>> List(
      const Officer& officer, absl::string_view case_id) const;
  absl::StatusOr<ConsentView> Show(const Officer& officer,
                                   absl::string_view id) const;

  absl::StatusOr<std::vector<CaseRow>> ListCases(const Officer& officer) const;
  absl::StatusOr<CaseView> ShowCase(const Officer& officer,
                                    absl::string_view id) const;

 private:
  Desk desk_;
};

}  // namespace amparo::agent

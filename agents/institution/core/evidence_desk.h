#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/core/views.h"
#include "crypto/merkle.h"
#include "proto/content/section.h"

namespace amparo::agent {

// What leaves the agent for a court or an auditor (docs/PROTOCOL.md, Evidence,
// Opened cases). For supervisors; the access log is written before anything is
// read. Thread-safe.
class EvidenceDesk {
 public:
  explicit EvidenceDesk(const Desk& desk) : desk_(desk) {}

  struct DocumentRequest {
    std::string referral_id;
    uint32_t version = 0;               // 0: the newest
    std::vector<std::string> sections;  // that are shown; the rest stays sealed
  };
  struct DocumentFile {
    std::string text;  // "evidence_document/1"
    ReferralId referral_id;
    LeafIndex entry;  // of the log, that it is about
    uint32_t version = 0;
    std::vector<Slot> sections;
  };
  // The document of a referral as its entry in the log vouches for it: at the
  // sender its anchor, at a recipient the envelope that brought it. NOT_FOUND
  // for a section or version that is not here; FAILED_PRECONDITION (code
  // "invalid_state") while it is not in the log, or when it came before this
  // agent kept what ties it to its entry.
  absl::StatusOr<DocumentFile> Document(const Officer& officer,
                                        const DocumentRequest& request);

  struct CaseFile {
    std::string text;  // "case_opening/1"
    CaseId case_id;
    uint32_t envelopes = 0;
    uint32_t unopened = 0;  // refused, held, sent again; or too old
    uint32_t withheld = 0;  // whose sections are this member's word alone
    uint32_t erased = 0;    // of these: for some of them were erased here
    absl::Time erased_at = kNoTime;  // the last time
  };
  // The case for an auditor. `with_sections`: also the plaintext without which
  // nobody can recompute which sections an envelope held.
  absl::StatusOr<CaseFile> OpenCase(const Officer& officer,
                                    absl::string_view id, bool with_sections);

 private:
  Desk desk_;
};

}  // namespace amparo::agent

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agents/auditor/access_anchor.h"
#include "agents/auditor/access_export.h"
#include "crypto/keys.h"

namespace amparo::auditor {

// A closed list: scripts act on these names.
enum class AccessFault {
  kMalformed,      // a line is no record
  kOutOfPlace,     // its number is not its place: cut out, put in, or moved
  kForeign,        // it is another institution's
  kAfterAnchor,    // it says that it is later than the checkpoint over it
  kBeforeAnchor,   // ... or earlier than the checkpoint before it
  kChanged,        // the records are not those that a checkpoint was made over
  kTruncated,      // there were more records, and nobody signed so few
  kBadCheckpoint,  // the export's own signed head is missing or not signed so
};
absl::string_view NameOf(AccessFault fault);  // "malformed", ...
// How somebody who does not trust this program sees a fault of this kind.
absl::string_view HowToCheck(AccessFault fault);

struct AccessFinding {
  AccessFault fault;
  std::optional<uint64_t> record;  // the first that it can be about
  std::string text;
  std::string check;  // how to see it without this program
};

// What an exported access log is worth.
struct AccessVerdict {
  std::string network, member;  // as the log's origin says; may be empty
  uint64_t records = 0;
  uint64_t anchors = 0;   // checkpoints of it in the network's log
  uint64_t anchored = 0;  // records before this one are those of a checkpoint
  std::optional<absl::Time> anchored_at;  // when the last of these was logged
  bool judged_keys = false;  // false: nobody could say whose keys are right
  // The member made a key by its identity alone at this entry, as an agent
  // does that came back from a backup, and of the records that were anchored
  // before it nothing proves that those from `lost_from` to `lost_to` - 1 are
  // in the file; `lost_at_least` of them are not, by the number of records.
  // Nobody can tell whether they were lost or taken out: told, and no finding.
  std::optional<LeafIndex> restored_at;
  uint64_t lost_from = 0, lost_to = 0, lost_at_least = 0;
  // Records that were anchored and come after the whole of this file, whose
  // own signed head fits it: an older export, or one that holds them back.
  // Nobody can tell which: told, and no finding.
  uint64_t newer = 0;
  std::optional<absl::Time> newer_at;   // when the last of these was logged
  std::optional<absl::Time> ends_at;    // the last record's own time
  std::vector<AccessFinding> findings;  // by record, those about none last
  uint64_t findings_omitted = 0;

  bool ok() const { return findings.empty(); }
  std::optional<uint64_t> first_bad_record() const;
};

// Signing keys of a member, at any time.
struct AccessKeys {
  std::vector<VerifyKey> keys;
  std::optional<LeafIndex> alone;  // of the last made by its identity alone
};

// What the network's log knows of the member whose access log this is.
struct AccessContext {
  std::vector<AccessAnchor> anchors;  // of any member, in leaf order
  // nullptr: the log was not asked.
  std::function<AccessKeys(const std::string& member)> keys;
  std::string network;  // whose log it is, as its charter says
};

// Recomputes the tree over the records and compares it with the export's own
// signed head and with every anchored checkpoint of this member's access log in
// `context`'s network. Where records were changed
// and nothing else gives them away, the first bad one is the first of those
// that only the broken checkpoint covers.
AccessVerdict JudgeAccessLog(const AccessExport& log,
                             const AccessContext& context);

}  // namespace amparo::auditor

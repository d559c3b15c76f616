#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

// What a replay of the log says (docs/PROTOCOL.md, Audit).

namespace amparo::auditor {

enum class Step {
  kCharterChain,
  kKeyEvents,
  kTiles,
  kCheckpoint,
  kConsistency,
  kOpenings,
  kSignatures,
  kLinks,
  kDisclosures,
  kReport,
};
inline constexpr size_t kStepCount = 10;
absl::string_view NameOf(Step step);  // "charter_chain", ...

// A closed list: scripts act on these names.
enum class FindingCode {
  kLeafMismatch,
  kTileMissing,
  kRootMismatch,
  kBadCheckpoint,
  kQuorumMissing,
  kInconsistent,
  kBadCharter,
  kBadKeyEvent,
  kBadSignature,
  kOpeningMismatch,
  kOpeningMissing,
  kLinkGap,
  kLinkFork,
  kNotCovered,
  kAfterRevocation,
  kLate,
};
absl::string_view NameOf(FindingCode code);  // "leaf_mismatch", ...
// Fatal: the log itself is not what was signed. Otherwise somebody who writes
// to it broke a rule.
bool IsFatal(FindingCode code);
// How somebody who does not trust this program sees a finding of this kind.
absl::string_view HowToCheck(FindingCode code);

struct Finding {
  FindingCode code;
  std::optional<LeafIndex> index;
  std::string text;    // what is wrong
  std::string check;   // how to see it without this program
  bool known = false;  // an earlier replay, gone on from, found it
};

struct StepResult {
  bool failed = false;
  uint64_t checked = 0;
  std::string skipped;  // why there was nothing to look at, or no further
  // nullopt: nothing could be said.
  std::optional<bool> Ok() const;
};

// An event as it stands in the log; empty fields do not apply.
struct TimelineEntry {
  LeafIndex index;
  absl::Time at;
  std::string event;  // "charter", "key_event", "envelope", "receipt", ...
  std::string from;
  std::string to;
  std::string envelope_id;
  std::string digest;
  std::string detail;  // "version 2", "delivered", ...
};
using TimelineSink = std::function<void(const TimelineEntry&)>;

struct Counts {
  uint64_t envelopes = 0, anchors = 0, receipts = 0, recalls = 0, expiries = 0;
  uint64_t erasures = 0, access_logs = 0, charters = 0, key_events = 0;
  uint64_t unopened = 0;
};

// What went by a legal basis and not by consent.
struct WithoutConsentRow {
  LeafIndex index;
  std::string from, to;
  std::string basis;   // its id
  std::string reason;  // its code: "imminent_danger_life", ...
  std::vector<std::string> sections;
  // The basis provably went along; else it is its signer's word.
  bool proven = false;
};

// A case that one or more of its parties opened.
struct OpenedCase {
  std::string case_id;
  std::vector<std::string> members;  // who opened it
  uint64_t envelopes = 0;            // opened, by one end or both
  uint64_t disclosures = 0;          // sections in them
  uint64_t unproven = 0;   // envelopes whose sections are a party's word
  uint64_t unopened = 0;   // that a party has and cannot open
  uint64_t one_sided = 0;  // whose purpose only one end tells
  uint64_t grants_undated = 0;
  uint64_t bases_undated = 0;      // envelopes, by a basis that is one's word
  uint64_t provisions = 0;         // digests in the consents, decoys among them
  uint64_t provisions_hidden = 0;  // of these not shown
  uint64_t anchors_opened = 0;
  // Anchors of these members that this case does not open: of other cases, or
  // kept back. The first hundred.
  uint64_t anchors_unopened = 0;
  std::vector<LeafIndex> anchors;
  std::vector<WithoutConsentRow> without_consent;  // one an envelope and basis
};

// An access log that began anew: its member made a key by its identity alone,
// as an agent does that came back from a backup. What it lost is told, and is
// no finding.
struct RestoredLog {
  std::string member;
  LeafIndex index;  // its first checkpoint since
  uint64_t records_before = 0, records_after = 0;
};

// Mail of a member that a later charter says was not to be believed any more:
// its `since` lies before it. Agents refuse what they had not taken by then.
// The log is as it must be, and it is no finding.
struct DisownedMail {
  std::string member;
  LeafIndex charter;  // the entry of the charter that says so
  LeafIndex first, last;
  uint64_t envelopes = 0;
  bool at_least = false;  // there may have been more before `first`
};

// As the newest charter has it.
struct ReportMember {
  std::string id, name, kind, status;
};

// Filled by the steps; findings beyond kFindingsMax are counted, not kept, so
// that a hostile log cannot fill the memory. One thread at a time.
class Report {
 public:
  static constexpr size_t kFindingsMax = 1000;

  void Checked(Step step, uint64_t count = 1);
  // A finding without a `check` gets that of its code.
  void Add(Step step, Finding finding);
  // Says why `step` did not look at everything; the first reason stays.
  void Skip(Step step, absl::string_view reason);
  // Beyond kFindingsMax they are not kept.
  void AddRestored(RestoredLog log);
  void AddDisowned(DisownedMail mail);
  // What was found so far, to be told again by whoever goes on from here and
  // does not look at it again.
  struct Known {
    std::array<bool, kStepCount> failed = {};  // by step
    std::vector<Finding> findings;             // by entry
  };
  Known known() const;
  void AddKnown(const Known& known);
  // Orders the findings for who reads them: by entry, those about the whole
  // log last; of one entry the deepest cause first.
  void OrderFindings();

  bool ok() const;  // no finding
  // Goes on from an earlier replay, and the log has no entry since.
  bool NothingNew() const { return resumed_from == size; }
  // Goes on from an earlier replay, and `step` looked at nothing that it had not
  // seen. Never of the checkpoint, nor where a step says why it did not look at
  // what else a run may be given.
  bool HasNoNews(Step step) const;
  const StepResult& step(Step step) const;
  const std::vector<Finding>& findings() const { return findings_; }
  uint64_t findings_omitted() const { return findings_omitted_; }
  // The lowest leaf that a finding names.
  std::optional<LeafIndex> first_bad_index() const { return first_bad_index_; }

  std::string network;
  bool root_pinned = false;
  uint64_t charter_version = 0;
  std::vector<ReportMember> members;  // of that version
  TreeSize size;
  // The entries before were replayed by an earlier run, and are not counted.
  std::optional<TreeSize> resumed_from;
  std::optional<Digest> first_charter;  // pinned, or taken at its word
  Digest root_hash;                     // as the checkpoint says
  std::optional<absl::Time> checkpoint_at;
  uint32_t cosignatures = 0;
  uint32_t quorum = 0;
  // The charter version whose witnesses these are.
  uint64_t quorum_charter = 0;
  Counts counts;
  std::vector<OpenedCase> cases;
  const std::vector<RestoredLog>& restored() const { return restored_; }
  const std::vector<DisownedMail>& disowned() const { return disowned_; }

 private:
  std::array<StepResult, kStepCount> steps_;
  std::vector<Finding> findings_;
  uint64_t findings_omitted_ = 0;
  std::vector<RestoredLog> restored_;
  std::vector<DisownedMail> disowned_;
  std::optional<LeafIndex> first_bad_index_;
};

// The object "replay/1" without its timeline, and a row of that.
Json ToJson(const Report& report);
Json ToJson(const TimelineEntry& entry);

// For people.
// What a reader must know and is no finding; a line each.
std::vector<std::string> Remarks(const Report& report);
std::string ToText(const Report& report);
// The hash that the paper protocol has, as a line; "" before a first charter.
std::string FirstCharterText(const Report& report);
std::string ToText(const TimelineEntry& entry);  // one line

}  // namespace amparo::auditor

#include "agents/auditor/access_check.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "crypto/compact_range.h"
#include "crypto/note.h"
#include "proto/envelope/access_origin.h"
#include "proto/envelope/limits.h"

namespace amparo::auditor {
namespace {

constexpr size_t kFindingsMax = 1000;

// How far a record's time may be from the entries' around it: an agent writes
// and anchors by its own clock, up to an hour off, and an anchor may be under
// way when the next record is written.
const absl::Duration kRecordTimeOff = kClockStop + kCreatedBefore;

// One export under judgement.
class Judgement {
 public:
  Judgement(const AccessExport& log, const AccessContext& context)
      : log_(log), context_(context) {}

  AccessVerdict Run() {
    verdict_.records = log_.lines.size();
    ReadOrigin();
    if (context_.keys != nullptr) keys_ = context_.keys(verdict_.member);
    FindAnchors();
    ComputeRoots();
    LeaveOutLost();
    ReadRecords();
    fits_own_head_ = FitsOwnHead();
    CompareAnchors();
    CompareOwnHead();
    const auto rank = [](const AccessFinding& finding) {
      return std::make_tuple(!finding.record.has_value(),
                             finding.record.value_or(0));
    };
    std::stable_sort(verdict_.findings.begin(), verdict_.findings.end(),
                     [&](const AccessFinding& a, const AccessFinding& b) {
                       return rank(a) < rank(b);
                     });
    return std::move(verdict_);
  }

 private:
  void Add(AccessFault fault, std::optional<uint64_t> record,
           const std::string& text, const char* check = "") {
    if (verdict_.findings.size() == kFindingsMax)
      ++verdict_.findings_omitted;
    else
      verdict_.findings.push_back(
          {fault, record, text,
           *check != '\0' ? check : std::string(HowToCheck(fault))});
  }

  // Whose log it says it is: by its own head, else by its first record.
  void ReadOrigin() {
    if (log_.end.has_value() && !log_.end->checkpoint.empty())
      head_ = PeekCheckpoint(log_.end->checkpoint);
    if (head_.ok()) {
      const absl::StatusOr<AccessOrigin> origin =
          ParseAccessOrigin(head_->origin);
      if (origin.ok()) {
        verdict_.network = origin->network;
        verdict_.member = origin->member.text();
        return;
      }
    }
    if (log_.lines.empty()) return;
    const absl::StatusOr<AccessRecord> first =
        DecodeAccessRecord(AsBytes(log_.lines.front()));
    if (first.ok()) verdict_.member = first->affiliation;
  }

  // What the log's checkpoints of it are called; never what the export says of
  // the network, or another name would leave it without any.
  std::string Origin() const {
    const absl::StatusOr<MemberId> member = MemberId::Parse(verdict_.member);
    return member.ok() ? FormatAccessOrigin(context_.network, *member) : "";
  }

  void FindAnchors() {
    for (const AccessAnchor& anchor : context_.anchors) {
      if (anchor.checkpoint.origin != Origin()) continue;
      anchors_.push_back(&anchor);
      roots_[anchor.checkpoint.size.value()];
    }
    verdict_.anchors = anchors_.size();
    std::stable_sort(anchors_.begin(), anchors_.end(),
                     [](const AccessAnchor* a, const AccessAnchor* b) {
                       return a->checkpoint.size < b->checkpoint.size;
                     });
  }

  void ComputeRoots() {
    CompactRange tree;
    roots_[0] = tree.Root();
    for (uint64_t i = 0; i < log_.lines.size(); ++i) {
      tree.Append(LeafHash(AsBytes(log_.lines[i])));
      if (const auto wanted = roots_.find(i + 1); wanted != roots_.end())
        wanted->second = tree.Root();
    }
    root_ = tree.Root();
  }

  bool Fits(const AccessAnchor& anchor) const {
    const uint64_t size = anchor.checkpoint.size.value();
    return size <= log_.lines.size() &&
           roots_.at(size) == anchor.checkpoint.root;
  }

  // Who came back from a backup has no more the records after it, and anchors
  // what it has. Of the anchors before that, those that fit still count.
  void LeaveOutLost() {
    uint64_t fitting = 0;  // records under the last anchor that fits
    std::erase_if(anchors_, [&](const AccessAnchor* anchor) {
      if (!keys_.alone.has_value() || anchor->leaf > *keys_.alone) return false;
      const uint64_t size = anchor->checkpoint.size.value();
      if (Fits(*anchor)) {
        fitting = size;
        return false;
      }
      if (!verdict_.restored_at.has_value())
        verdict_.lost_from = std::min(fitting, size == 0 ? 0 : size - 1);
      verdict_.restored_at = keys_.alone;
      verdict_.lost_to = std::max(verdict_.lost_to, size);
      return true;
    });
    // As many as its log had when it anchored next, the new ones included.
    uint64_t after = log_.lines.size();
    for (const AccessAnchor* anchor : anchors_)
      if (keys_.alone.has_value() && anchor->leaf > *keys_.alone)
        after = std::min(after, anchor->checkpoint.size.value());
    verdict_.lost_at_least =
        verdict_.lost_to > after ? verdict_.lost_to - after : 0;
  }

  void ReadRecords() {
    size_t next = 0;  // the first anchor that covers the record
    for (uint64_t i = 0; i < log_.lines.size(); ++i) {
      while (next < anchors_.size() &&
             anchors_[next]->checkpoint.size.value() <= i)
        ++next;
      ReadRecord(i, next > 0 ? anchors_[next - 1] : nullptr,
                 next < anchors_.size() ? anchors_[next] : nullptr);
    }
  }

  void ReadRecord(uint64_t i, const AccessAnchor* before,
                  const AccessAnchor* covering) {
    const absl::StatusOr<AccessRecord> record =
        DecodeAccessRecord(AsBytes(log_.lines[i]));
    if (!record.ok())
      return Add(AccessFault::kMalformed, i,
                 absl::StrCat("line ", i + 1, " of the file is no record"));
    // A record cut out moves all that follow: that is told once.
    if (record->seq != i + shift_) {
      shift_ = record->seq - i;
      Add(AccessFault::kOutOfPlace, i,
          absl::StrCat("line ", i + 1, " should be record ", i,
                       ", and says that it is record ", record->seq));
    }
    if (record->affiliation != verdict_.member)
      Add(AccessFault::kForeign, i,
          absl::StrCat("record ", i, " is not of this institution"));
    verdict_.ends_at = record->at;
    if (covering != nullptr && record->at > covering->time + kRecordTimeOff)
      Add(AccessFault::kAfterAnchor, i,
          absl::StrCat("record ", i,
                       " says that it is later than the checkpoint over it, "
                       "which is entry ",
                       covering->leaf.value(), " of the network's log"));
    if (before != nullptr && record->at < before->time - kRecordTimeOff)
      Add(AccessFault::kBeforeAnchor, i,
          absl::StrCat("record ", i,
                       " says that it is earlier than the checkpoint over the "
                       "records before it, which is entry ",
                       before->leaf.value(), " of the network's log"));
  }

  void CompareAnchors() {
    for (const AccessAnchor* anchor : anchors_) {
      const uint64_t size = anchor->checkpoint.size.value();
      if (size > log_.lines.size() && fits_own_head_) {
        verdict_.newer = size - log_.lines.size();
        verdict_.newer_at = anchor->time;
      } else if (size > log_.lines.size()) {
        Add(AccessFault::kTruncated, log_.lines.size(),
            absl::StrCat("entry ", anchor->leaf.value(),
                         " of the network's log is a checkpoint over ", size,
                         " records; the file has ", log_.lines.size()),
            "amparo-audit show, for that entry");
      } else if (!Fits(*anchor)) {
        Add(AccessFault::kChanged, verdict_.anchored,
            absl::StrCat("the first ", size,
                         " records are not those of the checkpoint in entry ",
                         anchor->leaf.value(),
                         " of the network's log: one from record ",
                         verdict_.anchored, " to ", size == 0 ? 0 : size - 1,
                         " was changed, put in, cut out or moved"));
      } else {
        verdict_.anchored = size;
        verdict_.anchored_at = anchor->time;
      }
    }
  }

  // Whether the institution signed just these records as the whole of its log,
  // as it does with each export.
  bool FitsOwnHead() const {
    return log_.end.has_value() && head_.ok() &&
           log_.end->size == log_.lines.size() &&
           head_->size.value() == log_.lines.size() && head_->root == root_ &&
           context_.keys != nullptr && head_->origin == Origin() && IsSigned();
  }

  bool IsSigned() const {
    return std::any_of(
        keys_.keys.begin(), keys_.keys.end(), [&](const VerifyKey& key) {
          const absl::StatusOr<NoteVerifier> verifier =
              NoteVerifier::Create(head_->origin, NoteKeyType::kEd25519, key);
          return verifier.ok() &&
                 VerifyCheckpoint(log_.end->checkpoint, *verifier).ok();
        });
  }

  void CompareOwnHead() {
    if (!log_.end.has_value())
      return Add(AccessFault::kBadCheckpoint, std::nullopt,
                 "the file just stops: its last line is not the end of an "
                 "export");
    if (!head_.ok())
      return Add(AccessFault::kBadCheckpoint, std::nullopt,
                 "the export has no checkpoint that can be read");
    const uint64_t size = head_->size.value();
    if (log_.end->size != size)
      Add(AccessFault::kBadCheckpoint, std::nullopt,
          "the export's last line and its checkpoint differ in the size");
    if (size > log_.lines.size())
      Add(AccessFault::kTruncated, log_.lines.size(),
          absl::StrCat("the export's own checkpoint is over ", size,
                       " records; the file has ", log_.lines.size()));
    else if (size < log_.lines.size())
      Add(AccessFault::kOutOfPlace, size,
          absl::StrCat("the export's own checkpoint is over ", size,
                       " records; the file has ", log_.lines.size()));
    else if (head_->root != root_)
      Add(AccessFault::kChanged, verdict_.anchored,
          absl::StrCat("the records are not those of the export's own "
                       "checkpoint: one from record ",
                       verdict_.anchored, " on is not as it was signed"));
    CheckSignature();
  }

  void CheckSignature() {
    if (context_.keys == nullptr) return;
    verdict_.judged_keys = true;
    if (head_->origin != Origin())
      return Add(AccessFault::kBadCheckpoint, std::nullopt,
                 "the export's checkpoint is not of an access log of this "
                 "network",
                 "the first line of the checkpoint is NETWORK/access/MEMBER, "
                 "with the network of the charter");
    if (IsSigned()) return;
    Add(AccessFault::kBadCheckpoint, std::nullopt,
        "no signing key that the institution ever had signed the export's "
        "checkpoint");
  }

  const AccessExport& log_;
  const AccessContext& context_;
  absl::StatusOr<Checkpoint> head_ = absl::NotFoundError("no checkpoint");
  AccessKeys keys_;
  std::vector<const AccessAnchor*> anchors_;  // of this log, by size
  std::map<uint64_t, Digest> roots_;          // at the sizes of checkpoints
  Digest root_;
  bool fits_own_head_ = false;
  uint64_t shift_ = 0;  // of the numbers against their places, modulo 2^64
  AccessVerdict verdict_;
};

}  // namespace

std::optional<uint64_t> AccessVerdict::first_bad_record() const {
  return findings.empty() ? std::nullopt : findings.front().record;
}

AccessVerdict JudgeAccessLog(const AccessExport& log,
                             const AccessContext& context) {
  return Judgement(log, context).Run();
}

}  // namespace amparo::auditor

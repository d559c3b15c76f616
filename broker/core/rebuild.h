#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/core/mirror_source.h"
#include "broker/store/store.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"

namespace amparo::broker {

// Brings a store that is behind its own log up to it, from members' mirrors
// (docs/PROTOCOL.md, Rebuilding): for a broker that was put back from a backup
// after it had shown more. The mirrors prove themselves by checkpoints that the
// log's key signed, and all of them, and the store, must be one history. One
// thread at a time.
class Rebuilding {
 public:
  // All must outlive this. `log_keys`: the log's, and the one that it changes
  // to or from.
  Rebuilding(const Store& store, std::vector<NoteVerifier> log_keys,
             std::vector<MirrorSource*> mirrors);

  // Reads everything and changes nothing. DATA_LOSS: code "tampered" when the
  // store or a mirror is not what the log's key signed; "forked" when both of
  // two are, and contradict each other (then see evidence()).
  // FAILED_PRECONDITION: no mirror reaches what is known to have been shown, or
  // nobody can say so, for a key signed it that is the log's no more.
  // INVALID_ARGUMENT for what is no mirror.
  absl::Status Check();
  // After "forked": two signed notes that cannot both be true, as `amparo-audit
  // compare` reads them. Empty where the store signed nothing that contradicts.
  const std::string& evidence() const { return evidence_; }
  // After Check: how far the mirrors go, by checkpoints that the log's key
  // signed and the mirror's own entries give. What else a mirror or a lone
  // checkpoint says does not count.
  TreeSize reached() const;

  // After Check: appends what is missing to `copy`, a copy of the store.
  struct Result {
    TreeSize before, after;
    // Of all that was ever lost and is not erased: nobody brought an opening.
    uint64_t unopened = 0;
    uint64_t lost = 0;   // envelopes whose senders must send them again
    std::string newest;  // the checkpoint that the broker goes on from
  };
  absl::StatusOr<Result> Apply(Store& copy);

 private:
  struct Shown {
    std::string note;
    Checkpoint checkpoint;
    MirrorSource* mirror;
  };

  // NOT_FOUND: signed by none of the log's keys.
  absl::StatusOr<Checkpoint> Verify(const std::string& note) const;
  absl::Status ReadNotes();
  absl::Status ReadNotesOf(MirrorSource& mirror);
  absl::Status CheckReached() const;
  absl::StatusOr<std::vector<NoteVerifier>> EarlierKeys() const;
  absl::Status CheckStored();
  // Of what `mirror` holds, up to the largest of `sizes`.
  static absl::StatusOr<std::map<TreeSize, Digest>> RootsOf(
      MirrorSource& mirror, const std::set<TreeSize>& sizes);
  absl::Status CheckOneHistory();
  absl::Status CheckEachMirror();
  std::string OwnNote(
      const std::function<bool(const Checkpoint&)>& contradicts) const;
  absl::Status Forked(const std::string& one, const std::string& other,
                      absl::string_view message);
  const Shown& largest() const { return shown_.back(); }
  // The entries of a bundle of the largest mirror, with all that is known.
  absl::StatusOr<std::vector<LoggedEntry>> Read(uint64_t bundle,
                                                uint32_t width);
  absl::Status AddDocument(const LogEntry& entry, LoggedEntry& logged);
  absl::Status AddOpenings(uint64_t bundle, std::vector<LoggedEntry>& logged);
  absl::Status KeepNotes(Store& copy) const;
  std::string ByLogKeys(const std::string& note) const;

  const Store& store_;
  const std::vector<NoteVerifier> log_keys_;
  const std::vector<MirrorSource*> mirrors_;
  std::vector<Shown> shown_;  // by size
  std::string evidence_;
};

}  // namespace amparo::broker

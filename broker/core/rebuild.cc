#include "broker/core/rebuild.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "broker/core/directory.h"
#include "broker/core/late_openings.h"
#include "broker/core/start_guard.h"
#include "crypto/compact_range.h"
#include "crypto/tile.h"
#include "proto/envelope/limits.h"
#include "proto/network/charter.h"
#include "proto/network/witnesses.h"

namespace amparo::broker {
namespace {

absl::Status Tampered(absl::string_view message) {
  return MakeError(absl::StatusCode::kDataLoss, message, {.code = "tampered"});
}

// What a mirror does not have, or has in a wrong form, is the mirror's fault.
absl::Status Of(const MirrorSource& mirror, const absl::Status& status) {
  if (absl::IsNotFound(status) || absl::IsInvalidArgument(status))
    return Tampered(absl::StrCat(mirror.name(), ": ", status.message()));
  return status;
}

absl::Status NotItsEntries(const MirrorSource& mirror) {
  return Tampered(absl::StrCat(mirror.name(),
                               ": its entries are not those of its "
                               "checkpoint: leave this mirror out"));
}

uint32_t WidthOf(uint64_t bundle, TreeSize size) {
  return static_cast<uint32_t>(
      std::min<uint64_t>(kTileWidth, size.value() - bundle * kTileWidth));
}

}  // namespace

Rebuilding::Rebuilding(const Store& store, std::vector<NoteVerifier> log_keys,
                       std::vector<MirrorSource*> mirrors)
    : store_(store),
      log_keys_(std::move(log_keys)),
      mirrors_(std::move(mirrors)) {}

absl::Status Rebuilding::Check() {
  RETURN_IF_ERROR(ReadNotes());
  RETURN_IF_ERROR(CheckStored());
  RETURN_IF_ERROR(CheckReached());
  RETURN_IF_ERROR(CheckOneHistory());
  return CheckEachMirror();
}

absl::StatusOr<Checkpoint> Rebuilding::Verify(const std::string& note) const {
  absl::Status refused = absl::NotFoundError("no key of this log signed it");
  for (const NoteVerifier& key : log_keys_) {
    auto checkpoint = VerifyCheckpoint(note, key);
    if (checkpoint.ok()) return checkpoint;
    if (!absl::IsNotFound(checkpoint.status())) refused = checkpoint.status();
  }
  return refused;
}

// Of the charters that this store knows: they signed for this log once, and
// whoever found one since must not say what it holds.
absl::StatusOr<std::vector<NoteVerifier>> Rebuilding::EarlierKeys() const {
  std::vector<NoteVerifier> keys;
  ASSIGN_OR_RETURN(const auto directory, Directory::Load(store_));
  const auto network = directory->Current();
  for (const LoggedCharter& logged : network->charters) {
    ASSIGN_OR_RETURN(const std::string document, store_.Document(logged.hash));
    ASSIGN_OR_RETURN(const Charter charter, PeekCharter(document));
    keys.insert(keys.end(), charter.log_keys.begin(), charter.log_keys.end());
  }
  return keys;
}

absl::Status Rebuilding::ReadNotesOf(MirrorSource& mirror) {
  const auto notes = mirror.Notes();
  if (!notes.ok()) return Of(mirror, notes.status());
  const auto not_signed = [&mirror] {
    return Tampered(absl::StrCat(mirror.name(),
                                 ": its checkpoint is not signed by this log"));
  };
  std::vector<std::string> foreign;
  for (const std::string& note : *notes) {
    auto checkpoint = Verify(note);
    if (checkpoint.ok())
      shown_.push_back({note, *std::move(checkpoint), &mirror});
    else if (absl::IsNotFound(checkpoint.status()))
      foreign.push_back(note);
    else
      return not_signed();
  }
  // Of a member that was away since the log's key changed: its openings prove
  // themselves. What stands beside a note that counts is of the past.
  if (foreign.size() == notes->size()) {
    ASSIGN_OR_RETURN(const std::vector<NoteVerifier> earlier, EarlierKeys());
    const bool of_this_log =
        std::any_of(foreign.begin(), foreign.end(), [&](const auto& note) {
          return std::any_of(earlier.begin(), earlier.end(),
                             [&note](const NoteVerifier& key) {
                               return VerifyCheckpoint(note, key).ok();
                             });
        });
    if (!of_this_log) return not_signed();
    if (!mirror.has_entries())
      return MakeError(
          absl::StatusCode::kFailedPrecondition,
          absl::StrCat(mirror.name(),
                       ": a key signed it that is the log's no more: whether "
                       "the mirrors reach it nobody can say"),
          {.code = "invalid_state",
           .field = "--known",
           .hint = "ask for what was seen since the key changed; leave this "
                   "one out if it is of before the backup"});
  }
  const auto of_charters = mirror.CharterNotes();
  if (!of_charters.ok()) return Of(mirror, of_charters.status());
  for (const std::string& note : *of_charters) {
    auto checkpoint = Verify(note);
    if (checkpoint.ok())
      shown_.push_back({note, *std::move(checkpoint), &mirror});
    else if (!absl::IsNotFound(checkpoint.status()))
      return not_signed();
  }
  return absl::OkStatus();
}

absl::Status Rebuilding::ReadNotes() {
  if (mirrors_.empty())
    return MakeError(absl::StatusCode::kInvalidArgument, "no mirror was given",
                     {.code = "usage", .field = "--from"});
  for (MirrorSource* mirror : mirrors_) RETURN_IF_ERROR(ReadNotesOf(*mirror));
  if (shown_.empty())
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        "no mirror has a checkpoint by the key that the log has now",
        {.code = "invalid_state",
         .field = "--from",
         .hint = "take the mirror of a member that ran since the key changed"});
  std::stable_sort(
      shown_.begin(), shown_.end(), [](const Shown& a, const Shown& b) {
        return std::pair(a.checkpoint.size, a.mirror->has_entries()) <
               std::pair(b.checkpoint.size, b.mirror->has_entries());
      });
  return absl::OkStatus();
}

TreeSize Rebuilding::reached() const {
  TreeSize reached(0);
  for (const Shown& shown : shown_)
    if (shown.mirror->has_entries())
      reached = std::max(reached, shown.checkpoint.size);
  return reached;
}

// What somebody vouched for beyond all mirrors is lost to them: whoever saw it
// would refuse what is rebuilt, for ever.
absl::Status Rebuilding::CheckReached() const {
  if (largest().mirror->has_entries() ||
      largest().checkpoint.size <= store_.Head().range.size())
    return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat(largest().mirror->name(), ": the log was shown up to entry ",
                   largest().checkpoint.size.value(),
                   ", and no mirror reaches that far"),
      {.code = "invalid_state",
       .field = "--from",
       .hint = "take the mirrors of more members"});
}

// The store as it was put back is whole, and every mirror that ends within it
// is its beginning.
absl::Status Rebuilding::CheckStored() {
  absl::Status sound;
  for (const NoteVerifier& key : log_keys_) {
    sound = CheckStart(store_, key);
    if (sound.ok()) break;
  }
  RETURN_IF_ERROR(sound);
  const TreeSize size = store_.Head().range.size();
  for (const Shown& shown : shown_) {
    if (shown.checkpoint.size > size) break;
    ASSIGN_OR_RETURN(const Digest root,
                     StoredRoot(store_, shown.checkpoint.size));
    if (root != shown.checkpoint.root)
      return Forked(OwnNote([&shown](const Checkpoint& own) {
                      return own.size >= shown.checkpoint.size;
                    }),
                    shown.note,
                    absl::StrCat(shown.mirror->name(),
                                 ": another log than this store's"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<TreeSize, Digest>> Rebuilding::RootsOf(
    MirrorSource& mirror, const std::set<TreeSize>& sizes) {
  std::map<TreeSize, Digest> roots;
  const TreeSize end = *sizes.rbegin();
  CompactRange range;
  if (sizes.contains(TreeSize(0))) roots[TreeSize(0)] = range.Root();
  for (uint64_t bundle = 0; range.size() < end; ++bundle) {
    const auto entries = mirror.Bundle(bundle, WidthOf(bundle, end));
    if (!entries.ok()) return Of(mirror, entries.status());
    for (const Bytes& entry : *entries) {
      range.Append(LeafHash(entry));
      if (sizes.contains(range.size())) roots[range.size()] = range.Root();
    }
  }
  return roots;
}

absl::Status Rebuilding::CheckOneHistory() {
  const TreeSize own = store_.Head().range.size();
  if (largest().checkpoint.size <= own) return absl::OkStatus();
  std::set<TreeSize> sizes = {own};
  OwnNote([&sizes](const Checkpoint& newest) {
    return sizes.insert(newest.size).second;
  });
  for (const Shown& shown : shown_) sizes.insert(shown.checkpoint.size);
  ASSIGN_OR_RETURN(const auto roots, RootsOf(*largest().mirror, sizes));
  if (roots.at(largest().checkpoint.size) != largest().checkpoint.root) {
    // Two signed roots of one size need no entries.
    for (const Shown& shown : shown_)
      if (shown.checkpoint.size == largest().checkpoint.size &&
          shown.checkpoint.root != largest().checkpoint.root)
        return Forked(shown.note, largest().note,
                      "two mirrors hold two signed logs of one size");
    return NotItsEntries(*largest().mirror);
  }
  for (const Shown& shown : shown_)
    if (shown.checkpoint.size > own &&
        roots.at(shown.checkpoint.size) != shown.checkpoint.root)
      return Forked(
          shown.note, largest().note,
          absl::StrCat(shown.mirror->name(), " and ", largest().mirror->name(),
                       " hold two signed logs"));
  if (roots.at(own) == store_.Head().range.Root()) return absl::OkStatus();
  return Forked(OwnNote([&roots](const Checkpoint& newest) {
                  return roots.at(newest.size) != newest.root;
                }),
                largest().note,
                "this store went on by itself after it was put back: put the "
                "backup back once more, and rebuild before it runs");
}

// Of one history are their notes by now; each must hold what its own say.
absl::Status Rebuilding::CheckEachMirror() {
  for (MirrorSource* mirror : mirrors_) {
    if (!mirror->has_entries()) continue;
    std::map<TreeSize, Digest> signed_roots;
    std::set<TreeSize> sizes;
    for (const Shown& shown : shown_)
      if (shown.mirror == mirror && sizes.insert(shown.checkpoint.size).second)
        signed_roots[shown.checkpoint.size] = shown.checkpoint.root;
    if (sizes.empty()) continue;  // of before the log's key changed
    ASSIGN_OR_RETURN(const auto roots, RootsOf(*mirror, sizes));
    if (roots != signed_roots) return NotItsEntries(*mirror);
  }
  return absl::OkStatus();
}

// The newest that the store signed, if `contradicts` says so.
std::string Rebuilding::OwnNote(
    const std::function<bool(const Checkpoint&)>& contradicts) const {
  const auto note = store_.NewestCheckpoint();
  const auto checkpoint =
      note.ok() ? Verify(*note) : absl::StatusOr<Checkpoint>(note.status());
  return checkpoint.ok() && contradicts(*checkpoint) ? *note : "";
}

absl::Status Rebuilding::Forked(const std::string& one,
                                const std::string& other,
                                absl::string_view message) {
  evidence_ = one.empty() ? "" : absl::StrCat(one, "\n", other);
  return MakeError(absl::StatusCode::kDataLoss, message, {.code = "forked"});
}

absl::Status Rebuilding::AddDocument(const LogEntry& entry,
                                     LoggedEntry& logged) {
  const auto* charter = std::get_if<CharterEntry>(&entry.content);
  if (charter == nullptr) return absl::OkStatus();
  for (MirrorSource* mirror : mirrors_) {
    const auto document = mirror->Document(charter->hash);
    if (absl::IsNotFound(document.status()) ||
        absl::IsInvalidArgument(document.status()))
      continue;
    RETURN_IF_ERROR(document.status());
    if (Sha256(*document) != charter->hash) continue;
    logged.document = *document;
    return absl::OkStatus();
  }
  return Tampered(
      absl::StrCat("no mirror has charter version ", charter->version));
}

// Anybody's opening that fits is the right one.
absl::Status Rebuilding::AddOpenings(uint64_t bundle,
                                     std::vector<LoggedEntry>& logged) {
  const uint64_t first = bundle * kTileWidth;
  for (MirrorSource* mirror : mirrors_) {
    auto openings = mirror->Openings(bundle);
    if (!openings.ok()) return Of(*mirror, openings.status());
    for (OpeningLine& opening : *openings) {
      if (opening.leaf.value() < first ||
          opening.leaf.value() - first >= logged.size())
        continue;
      LoggedEntry& entry = logged[opening.leaf.value() - first];
      ASSIGN_OR_RETURN(const LogEntry decoded, DecodeLogEntry(entry.entry));
      const auto* sealed = std::get_if<CommitmentEntry>(&decoded.content);
      if (sealed == nullptr ||
          LeafCommitment(opening.salt, opening.event) != sealed->commitment)
        return Tampered(absl::StrCat(
            mirror->name(), ": the opening of entry ", opening.leaf.value(),
            " is not the one that was logged: leave this mirror out"));
      entry.salt = std::move(opening.salt);
      entry.event = std::move(opening.event);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<LoggedEntry>> Rebuilding::Read(uint64_t bundle,
                                                          uint32_t width) {
  MirrorSource& mirror = *largest().mirror;
  auto entries = mirror.Bundle(bundle, width);
  if (!entries.ok()) return Of(mirror, entries.status());
  std::vector<LoggedEntry> logged;
  for (Bytes& bytes : *entries) {
    LoggedEntry& one = logged.emplace_back();
    one.entry = std::move(bytes);
    const auto entry = DecodeLogEntry(one.entry);
    if (!entry.ok()) return Of(mirror, entry.status());
    RETURN_IF_ERROR(AddDocument(*entry, one));
  }
  RETURN_IF_ERROR(AddOpenings(bundle, logged));
  return logged;
}

absl::StatusOr<Rebuilding::Result> Rebuilding::Apply(Store& copy) {
  Result result;
  result.before = copy.Head().range.size();
  // Mirrors may come late to what an earlier rebuild could not open, too.
  LeafIndex lost_from(result.before.value());
  if (const auto earlier = copy.Rebuilt(); earlier.ok())
    lost_from = std::min(lost_from, earlier->from);
  else if (!absl::IsNotFound(earlier.status()))
    return earlier.status();
  const TreeSize end = largest().checkpoint.size;
  while (copy.Head().range.size() < end) {
    const uint64_t next = copy.Head().range.size().value();
    const uint64_t bundle = next / kTileWidth;
    ASSIGN_OR_RETURN(const std::vector<LoggedEntry> logged,
                     Read(bundle, WidthOf(bundle, end)));
    const auto missing = std::span(logged).subspan(next - bundle * kTileWidth);
    if (const absl::Status appended = copy.AppendLogged(missing);
        !appended.ok())
      return Of(*largest().mirror, appended);
  }
  result.after = copy.Head().range.size();
  // Read twice, and it may have changed in between.
  if (result.after == end &&
      copy.Head().range.Root() != largest().checkpoint.root)
    return Tampered(absl::StrCat(largest().mirror->name(),
                                 ": it changed while it was read"));
  RETURN_IF_ERROR(KeepNotes(copy));
  RETURN_IF_ERROR(AddLateOpenings(copy, mirrors_, lost_from));
  ASSIGN_OR_RETURN(result.lost,
                   copy.EndRebuilding(LeafIndex(result.before.value())));
  ASSIGN_OR_RETURN(result.unopened, CountUnopened(copy, lost_from));
  ASSIGN_OR_RETURN(result.newest, copy.NewestCheckpoint());
  return result;
}

// The log's own signatures, without times and cosignatures.
std::string Rebuilding::ByLogKeys(const std::string& encoded) const {
  auto note = ParseNote(encoded);
  if (!note.ok()) return encoded;
  std::erase_if(note->signatures, [&](const NoteSignature& signature) {
    return std::none_of(log_keys_.begin(), log_keys_.end(),
                        [&](const NoteVerifier& key) {
                          return key.name() == signature.name &&
                                 key.key_hash() == signature.key_hash;
                        });
  });
  return FormatNote(*note);
}

// What the broker showed, so that it shows no less; and under which of it each
// charter came into force.
absl::Status Rebuilding::KeepNotes(Store& copy) const {
  for (const Shown& shown : shown_)
    RETURN_IF_ERROR(
        copy.PutCheckpoint(shown.checkpoint.size, ByLogKeys(shown.note))
            .status());
  ASSIGN_OR_RETURN(const auto directory, Directory::Load(copy));
  const auto network = directory->Current();
  std::optional<Charter> before;
  for (const LoggedCharter& logged : network->charters) {
    ASSIGN_OR_RETURN(const std::string document, copy.Document(logged.hash));
    ASSIGN_OR_RETURN(Charter charter, PeekCharter(document));
    for (const Shown& shown : shown_) {
      ASSIGN_OR_RETURN(const Note note, ParseNote(shown.note));
      if (shown.checkpoint.size.value() <= logged.leaf.value()) continue;
      std::vector<uint64_t> versions;
      if (before && QuorumTime(note, *before))
        versions.push_back(charter.version);
      if (!versions.empty() || QuorumTime(note, charter))
        RETURN_IF_ERROR(
            copy.PutWitnessed(shown.checkpoint.size, shown.note, versions));
    }
    before = std::move(charter);
  }
  return absl::OkStatus();
}

}  // namespace amparo::broker

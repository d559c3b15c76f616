#include "agents/auditor/checkpoint_pair.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agents/auditor/source_nodes.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/printable.h"
#include "base/status.h"
#include "crypto/merkle.h"
#include "crypto/merkle_path.h"

namespace amparo::auditor {
namespace {

constexpr absl::string_view kSignatureLine = "\u2014 ";
// A checkpoint may be overtaken by the next one on its way out.
constexpr absl::Duration kOvertaken = absl::Minutes(1);

absl::StatusOr<CheckpointPair::Side> ReadSide(const std::string& note,
                                              const NoteVerifier& log_key) {
  const absl::StatusOr<Checkpoint> checkpoint = VerifyCheckpoint(note, log_key);
  if (!checkpoint.ok())
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "a checkpoint is not signed by that log key, and proves "
                     "nothing",
                     {.code = "verification_failed", .field = "FILE"});
  CheckpointPair::Side side{*checkpoint, std::nullopt};
  if (const auto shown = TimeOfCheckpoint(note, log_key); shown.ok())
    side.shown = *shown;
  return side;
}

absl::Status NoTiles() {
  return MakeError(
      absl::StatusCode::kNotFound,
      "the checkpoints are of two sizes: without the tiles of the larger log "
      "nobody can say whether it begins with the smaller one",
      {.code = "not_found",
       .field = "--export",
       .hint = "give --export or --broker with a log of that size or more"});
}

bool ShrankByItsOwnTimes(const CheckpointPair& pair) {
  return pair.smaller.shown.has_value() && pair.larger.shown.has_value() &&
         *pair.smaller.shown > *pair.larger.shown + kOvertaken;
}

// Fills in the proof. The tiles are the larger log's exactly when their proof
// leads to its root, whatever the source is.
absl::Status Prove(CheckpointPair& pair, LeafSource* source,
                   std::vector<Digest> given) {
  const TreeSize from = pair.smaller.checkpoint.size;
  const TreeSize to = pair.larger.checkpoint.size;
  if (from.value() == 0) {
    pair.proven_root = EmptyRoot();
    return absl::OkStatus();
  }
  if (const auto shown =
          PrefixRoot(from, to, pair.larger.checkpoint.root, given);
      shown.ok()) {
    pair.proven_root = *shown;
    pair.proof = std::move(given);
    return absl::OkStatus();
  }
  if (source == nullptr) return NoTiles();
  const NodeSource nodes = NodesOf(*source, to);
  const auto root = RootFrom(from, nodes);
  const auto proof = ConsistencyProof(from, to, nodes);
  for (const absl::Status& status : {root.status(), proof.status()})
    if (absl::IsNotFound(status) || absl::IsInvalidArgument(status))
      return NoTiles();
  RETURN_IF_ERROR(root.status());
  RETURN_IF_ERROR(proof.status());
  if (!VerifyConsistency(from, *root, to, pair.larger.checkpoint.root, *proof)
           .ok())
    return NoTiles();
  pair.proven_root = *root;
  pair.proof = *proof;
  return absl::OkStatus();
}

Json SideJson(const CheckpointPair::Side& side) {
  return {{"size", side.checkpoint.size.value()},
          {"root_hash", side.checkpoint.root.ToString()},
          {"shown_at", side.shown.has_value() ? Json(FormatUtc(*side.shown))
                                              : Json(nullptr)}};
}

std::string SideText(const CheckpointPair::Side& side) {
  return absl::StrCat("  ", side.checkpoint.size.value(), " entries, root ",
                      side.checkpoint.root.ToString(),
                      side.shown.has_value()
                          ? absl::StrCat(", shown ", FormatUtc(*side.shown))
                          : "",
                      "\n");
}

struct Words {
  const char* text;   // what it means
  const char* check;  // how to see it without this program
};

Words WordsFor(PairVerdict verdict) {
  switch (verdict) {
    case PairVerdict::kSame:
      return {"both are of one log of one size", "compare their third lines"};
    case PairVerdict::kConsistent:
      return {"the larger log begins with the smaller one",
              "RFC 9162 section 2.1.4.2 with the proof and both roots"};
    case PairVerdict::kFork:
      return {
          "FORK: the log's key signed two histories of one size. The two "
          "notes are the proof; nobody without that key can make them",
          "second lines equal, third lines not, and the log key's "
          "signature good on both (C2SP signed note)"};
    case PairVerdict::kInconsistent:
      return {
          "INCONSISTENT: the larger log does not begin with the smaller "
          "one. The two notes and the proof show that the log's key signed "
          "a history and then another",
          "RFC 9162 section 2.1.4.2: the proof leads from proven_root to "
          "the larger root, and proven_root is not the smaller note's "
          "root"};
    case PairVerdict::kRollback:
      return {
          "ROLLBACK: by its own signed times the log handed out the "
          "smaller head after the larger one: it was put back, or hid what "
          "it had. A broker's clock that was set back by so much makes the "
          "same; ask for its journal",
          "the log's second signature line holds the time (C2SP "
          "tlog-cosignature), in the first 8 bytes after the key hash"};
  }
  return {"", ""};
}

}  // namespace

absl::string_view NameOf(PairVerdict verdict) {
  switch (verdict) {
    case PairVerdict::kSame:
      return "same";
    case PairVerdict::kConsistent:
      return "consistent";
    case PairVerdict::kFork:
      return "fork";
    case PairVerdict::kInconsistent:
      return "inconsistent";
    case PairVerdict::kRollback:
      return "rollback";
  }
  return "";
}

absl::StatusOr<CheckpointPair> CompareCheckpoints(const std::string& first,
                                                  const std::string& second,
                                                  const NoteVerifier& log_key,
                                                  LeafSource* source,
                                                  std::vector<Digest> proof) {
  CheckpointPair pair;
  ASSIGN_OR_RETURN(pair.smaller, ReadSide(first, log_key));
  ASSIGN_OR_RETURN(pair.larger, ReadSide(second, log_key));
  if (pair.larger.checkpoint.size < pair.smaller.checkpoint.size)
    std::swap(pair.smaller, pair.larger);
  const Checkpoint& smaller = pair.smaller.checkpoint;
  const Checkpoint& larger = pair.larger.checkpoint;
  if (smaller.size == larger.size) {
    pair.proven_root = larger.root;
    pair.verdict =
        smaller.root == larger.root ? PairVerdict::kSame : PairVerdict::kFork;
    return pair;
  }
  const absl::Status proven = Prove(pair, source, std::move(proof));
  if (proven.ok() && pair.proven_root != smaller.root)
    pair.verdict = PairVerdict::kInconsistent;
  else if (ShrankByItsOwnTimes(pair))
    pair.verdict = PairVerdict::kRollback;
  else if (!proven.ok())
    return proven;
  else
    pair.verdict = PairVerdict::kConsistent;
  return pair;
}

std::vector<std::string> SplitNotes(absl::string_view text) {
  std::vector<std::string> notes;
  bool signed_already = true;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const size_t size = end == absl::string_view::npos ? text.size() : end + 1;
    const absl::string_view line = text.substr(0, size);
    const bool signs = absl::StartsWith(line, kSignatureLine);
    const bool between = signed_already && line == "\n";  // of two notes
    if (!between) {
      if (signed_already && !signs) notes.emplace_back();
      if (notes.empty()) notes.emplace_back();
      absl::StrAppend(&notes.back(), line);
      signed_already = signs;
    }
    text.remove_prefix(size);
  }
  return notes;
}

Json ToJson(const CheckpointPair& pair) {
  const Words words = WordsFor(pair.verdict);
  Json proof = Json::array();
  for (const Digest& hash : pair.proof) proof.push_back(ToBase64(hash.bytes()));
  return {{"schema", "checkpoint_compare/1"},
          {"ok", pair.ok()},
          {"network", pair.larger.checkpoint.origin},
          {"verdict", std::string(NameOf(pair.verdict))},
          {"smaller", SideJson(pair.smaller)},
          {"larger", SideJson(pair.larger)},
          {"proven_root", pair.proven_root.ToString()},
          {"proof", proof},
          {"text", words.text},
          {"check", words.check}};
}

std::string ToText(const CheckpointPair& pair) {
  const Words words = WordsFor(pair.verdict);
  return Printable(
      absl::StrCat("Two checkpoints of ", pair.larger.checkpoint.origin,
                   ", both signed by its log key\n", SideText(pair.smaller),
                   SideText(pair.larger), "\nResult: ", words.text,
                   ".\n      to check: ", words.check, "\n"));
}

}  // namespace amparo::auditor

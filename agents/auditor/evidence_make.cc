#include "agents/auditor/evidence_make.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agents/auditor/checkpoint_check.h"
#include "agents/auditor/evidence_check.h"
#include "agents/auditor/network_fold.h"
#include "agents/auditor/replay.h"
#include "agents/auditor/source_nodes.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/jws.h"
#include "crypto/merkle_path.h"
#include "crypto/tile.h"
#include "proto/envelope/log_entry.h"
#include "proto/envelope/recall.h"
#include "proto/envelope/receipt.h"

namespace amparo::auditor {
namespace {

absl::Status NotThere(LeafIndex index, const char* why) {
  return MakeError(absl::StatusCode::kNotFound,
                   absl::StrCat("entry ", index.value(), " ", why),
                   {.code = "not_found", .field = "ENTRY"});
}

// The first and the number of the entries in the bundle of `index`.
std::pair<uint64_t, uint32_t> BundleOf(LeafIndex index, TreeSize size) {
  const uint64_t start = index.value() / kTileWidth * kTileWidth;
  return {start, static_cast<uint32_t>(
                     std::min<uint64_t>(kTileWidth, size.value() - start))};
}

// What a pack needs to know of the whole log.
struct Survey {
  std::vector<LeafIndex> charters;
  std::vector<LeafIndex> suspensions;  // up to the subject
  std::map<std::string, std::vector<LeafIndex>> key_events;  // by member
  std::optional<TimelineEntry> subject;
  std::optional<LeafIndex> envelope;  // that the subject is about
  std::set<std::string> members;      // whose keys signed
  std::string document_signer;
  std::string checkpoint;
};

// `about`: digest of the envelope that the subject is about, or empty.
absl::StatusOr<Survey> Look(LeafSource& source, LeafIndex subject,
                            const std::string& about,
                            const std::optional<Digest>& root,
                            const std::optional<Digest>& document_kid) {
  Survey survey;
  ASSIGN_OR_RETURN(survey.checkpoint, source.Checkpoint());
  ReplayOptions options{.root = root};
  options.timeline = [&](const TimelineEntry& row) {
    if (row.event == "charter") survey.charters.push_back(row.index);
    if (row.event == "suspension" && row.index <= subject)
      survey.suspensions.push_back(row.index);
    if (row.event == "key_event" && row.index <= subject)
      survey.key_events[row.from].push_back(row.index);
    if (row.event == "envelope" && row.digest == about &&
        !survey.envelope.has_value() && row.index < subject) {
      survey.envelope = row.index;
      survey.members.insert(row.from);
    }
    if (row.index == subject) survey.subject = row;
  };
  options.network = [&](const NetworkFold& network) {
    survey.checkpoint = OnlyKnownSigners(survey.checkpoint, network);
    if (!survey.subject.has_value() || !document_kid.has_value()) return;
    const absl::StatusOr<SignerRecord> signer =
        network.keys().SignerAt(*document_kid, subject, survey.subject->at);
    if (signer.ok()) survey.members.insert(signer->member.text());
  };
  RETURN_IF_ERROR(Replay(source, options).status());
  if (!survey.subject.has_value()) return NotThere(subject, "is not there");
  if (survey.subject->event != "charter" &&
      survey.subject->event != "suspension")
    survey.members.insert(survey.subject->from);
  return survey;
}

// The envelope that an opened event names.
std::string DigestAbout(const Bytes& event) {
  const absl::StatusOr<AuditEvent> decoded = DecodeAuditEvent(event);
  if (!decoded.ok()) return "";
  if (const auto* receipt = std::get_if<ReceiptEvent>(&*decoded)) {
    const absl::StatusOr<Receipt> peeked = PeekReceipt(receipt->token);
    return peeked.ok() ? peeked->digest.ToString() : "";
  }
  if (const auto* recall = std::get_if<RecallEvent>(&*decoded)) {
    const absl::StatusOr<Recall> peeked = PeekRecall(recall->token);
    return peeked.ok() ? peeked->digest.ToString() : "";
  }
  if (const auto* expiry = std::get_if<ExpiryEvent>(&*decoded))
    return expiry->digest.ToString();
  return "";
}

// The charters of `evidence` get the checkpoints under which they came into
// force, as far as `source` keeps them and they are within `size`.
absl::Status AddCharterCheckpoints(LeafSource& source, const NodeSource& nodes,
                                   TreeSize size,
                                   const std::optional<Digest>& root,
                                   Evidence& evidence) {
  Report unread;
  NetworkFold network(source, root, unread);
  std::vector<EvidenceEntry*> kept;
  for (EvidenceEntry& entry : evidence.entries) {
    if (entry.charter.empty()) continue;
    ASSIGN_OR_RETURN(const LogEntry decoded, DecodeLogEntry(entry.entry));
    const std::optional<AcceptedCharter> before = network.newest();
    RETURN_IF_ERROR(network.OnCharter(entry.index, decoded.time,
                                      std::get<CharterEntry>(decoded.content)));
    if (!before.has_value() || before->charter.witness_quorum == 0 ||
        network.newest()->hash == before->hash)
      continue;
    const absl::StatusOr<std::string> note =
        source.CharterCheckpoint(network.newest()->charter.version);
    const absl::StatusOr<Checkpoint> claimed =
        note.ok() ? PeekCheckpoint(*note) : note.status();
    if (!claimed.ok() || claimed->size.value() == 0 || claimed->size > size)
      continue;
    entry.charter_checkpoint = *note;
    ASSIGN_OR_RETURN(entry.consistency,
                     ConsistencyProof(claimed->size, size, nodes));
    kept.push_back(&entry);
  }
  for (EvidenceEntry* entry : kept)
    entry->charter_checkpoint =
        OnlyKnownSigners(entry->charter_checkpoint, network);
  return absl::OkStatus();
}

// What only the document spoils is not the log's fault.
absl::Status CheckDocumentFits(const Evidence& evidence,
                               const std::optional<Digest>& root) {
  if (!evidence.document.has_value() || JudgeEvidence(evidence, root).ok())
    return absl::OkStatus();
  Evidence bare = evidence;
  bare.document.reset();
  if (!JudgeEvidence(bare, root).ok()) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kInvalidArgument,
      absl::StrCat("the document is not what entry ", evidence.subject.value(),
                   " is about"),
      {.code = "verification_failed",
       .field = "--document",
       .hint = "amparo referral evidence says the entry of its document"});
}

}  // namespace

absl::StatusOr<EvidenceEntry> FetchEntry(LeafSource& source, LeafIndex index,
                                         TreeSize size) {
  if (index.value() >= size.value()) return NotThere(index, "is not there");
  const auto [start, count] = BundleOf(index, size);
  const uint64_t place = index.value() - start;
  ASSIGN_OR_RETURN(std::vector<Bytes> entries, source.Entries(start, count));
  if (place >= entries.size()) return NotThere(index, "is not there");
  EvidenceEntry entry;
  entry.index = index;
  entry.entry = std::move(entries[place]);
  ASSIGN_OR_RETURN(entry.proof,
                   InclusionProof(index, size, NodesOf(source, size)));
  const absl::StatusOr<LogEntry> decoded = DecodeLogEntry(entry.entry);
  if (!decoded.ok()) return entry;
  if (const auto* charter = std::get_if<CharterEntry>(&decoded->content)) {
    ASSIGN_OR_RETURN(entry.charter, source.Document(charter->hash));
  }
  if (std::holds_alternative<CommitmentEntry>(decoded->content) &&
      source.HasOpenings()) {
    const absl::StatusOr<std::vector<Opening>> openings =
        source.Openings(start, count);
    if (!openings.ok() && !absl::IsNotFound(openings.status()))
      return openings.status();
    if (openings.ok())
      for (const Opening& opening : *openings)
        if (opening.readable && opening.leaf == index.value()) {
          entry.salt = opening.salt;
          entry.event = opening.event;
        }
  }
  return entry;
}

absl::StatusOr<Evidence> MakeEvidence(
    LeafSource& source, LeafIndex subject, const std::optional<Digest>& root,
    std::optional<EvidenceDocument> document) {
  ASSIGN_OR_RETURN(const std::string newest, source.Checkpoint());
  ASSIGN_OR_RETURN(const Checkpoint shown, PeekCheckpoint(newest));
  ASSIGN_OR_RETURN(const EvidenceEntry entry,
                   FetchEntry(source, subject, shown.size));
  const absl::StatusOr<LogEntry> decoded = DecodeLogEntry(entry.entry);
  if (decoded.ok() &&
      std::holds_alternative<CommitmentEntry>(decoded->content) &&
      entry.event.empty())
    return NotThere(subject, "has no opening: it was erased, or is not yours");
  std::optional<Digest> kid;
  if (document.has_value()) {
    ASSIGN_OR_RETURN(kid, PeekJwsKid(document->token));
  }
  ASSIGN_OR_RETURN(const Survey survey,
                   Look(source, subject, DigestAbout(entry.event), root, kid));

  std::set<LeafIndex> wanted(survey.charters.begin(), survey.charters.end());
  wanted.insert(subject);
  // What a charter is takes charters alone.
  if (survey.subject->event != "charter")
    wanted.insert(survey.suspensions.begin(), survey.suspensions.end());
  if (survey.envelope.has_value()) wanted.insert(*survey.envelope);
  for (const std::string& member : survey.members)
    if (const auto found = survey.key_events.find(member);
        found != survey.key_events.end())
      wanted.insert(found->second.begin(), found->second.end());

  Evidence evidence{subject, survey.checkpoint, {}, std::move(document)};
  ASSIGN_OR_RETURN(const Checkpoint claimed,
                   PeekCheckpoint(evidence.checkpoint));
  const TreeSize pack_size = claimed.size;
  for (const LeafIndex index : wanted) {
    if (index.value() >= pack_size.value()) continue;
    ASSIGN_OR_RETURN(evidence.entries.emplace_back(),
                     FetchEntry(source, index, pack_size));
  }
  RETURN_IF_ERROR(AddCharterCheckpoints(source, NodesOf(source, pack_size),
                                        pack_size, root, evidence));
  RETURN_IF_ERROR(CheckDocumentFits(evidence, root));
  const EvidenceVerdict verdict = JudgeEvidence(evidence, root);
  if (!verdict.ok())
    return MakeError(absl::StatusCode::kDataLoss,
                     absl::StrCat("the log does not bear this entry out: ",
                                  verdict.report.findings().front().text),
                     {.code = "verification_failed",
                      .hint = "amparo-audit replay says what is wrong"});
  return evidence;
}

}  // namespace amparo::auditor

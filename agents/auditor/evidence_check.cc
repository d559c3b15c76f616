#include "agents/auditor/evidence_check.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agents/auditor/charter_quorum.h"
#include "agents/auditor/checkpoint_check.h"
#include "agents/auditor/event_check.h"
#include "agents/auditor/link_check.h"
#include "agents/auditor/network_fold.h"
#include "agents/auditor/opening_check.h"
#include "agents/auditor/pack_source.h"
#include "base/clock.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/jws.h"
#include "crypto/merkle.h"
#include "crypto/note.h"
#include "crypto/sd_jwt.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"
#include "proto/network/suspension.h"

namespace amparo::auditor {
namespace {

// One pack under judgement.
class Judgement {
 public:
  Judgement(const Evidence& evidence, const std::optional<Digest>& root)
      : evidence_(evidence),
        source_(evidence),
        report_(verdict_.report),
        checkpoint_(evidence.checkpoint, {}, report_),
        network_(source_, root, report_),
        quorum_(source_, evidence.checkpoint, report_),
        openings_(source_, false, report_),
        links_(false, erasures_, report_),
        timeline_([this](const TimelineEntry& row) {
          if (row.index == evidence_.subject) verdict_.subject = row;
        }),
        events_(network_, openings_, erasures_, links_, report_, timeline_,
                anchors_) {
    report_.root_pinned = root.has_value();
    if (root.has_value() && BeginsElsewhere(*root)) elsewhere_ = true;
  }

  EvidenceVerdict Run() {
    if (elsewhere_) {
      Refuse(FindingCode::kBadCharter,
             "the pack's first charter is not the one whose hash was given "
             "(--root): the pack is another network's, or the hash was "
             "mistyped; compare it with the paper protocol",
             "sha256sum over the first charter of the pack");
      return std::move(verdict_);
    }
    if (checkpoint_.claimed().ok()) {
      report_.size = checkpoint_.claimed()->size;
      report_.root_hash = checkpoint_.claimed()->root;
      for (const EvidenceEntry& entry : evidence_.entries) OnEntry(entry);
      network_.Finish();
      if (network_.newest().has_value())
        report_.first_charter = network_.root();
      openings_.Finish();
      checkpoint_.Finish(network_, quorum_.Finish());
      CheckSigners();
    }
    if (evidence_.Find(evidence_.subject) == nullptr)
      Refuse(FindingCode::kTileMissing,
             "the pack does not hold the entry that it is about");
    CheckShape();
    if (evidence_.document.has_value()) CheckDocument(*evidence_.document);
    if (const auto maker = MemberId::Parse(verdict_.subject.from); maker.ok())
      verdict_.disowned = network_.keys().standings().IsDisowned(
          *maker, evidence_.subject, verdict_.subject.at);
    report_.OrderFindings();
    return std::move(verdict_);
  }

 private:
  // Nothing else that the pack says is then worth a finding: all of it hangs on
  // its first charter.
  bool BeginsElsewhere(const Digest& root) const {
    for (const EvidenceEntry& entry : evidence_.entries)
      if (!entry.charter.empty()) return Sha256(entry.charter) != root;
    return false;
  }

  void Refuse(FindingCode code, const std::string& text,
              const char* check = "") {
    report_.Add(Step::kReport, {code, evidence_.subject, text, check});
  }

  // Nothing but charters after the subject, nothing but charters about one: so
  // a pack is about one entry and no other.
  void CheckShape() {
    const EvidenceEntry* subject = evidence_.Find(evidence_.subject);
    if (subject == nullptr) return;
    for (const EvidenceEntry& entry : evidence_.entries)
      if (entry.charter.empty() &&
          (entry.index > evidence_.subject || !subject->charter.empty()))
        return Refuse(FindingCode::kLeafMismatch,
                      "the pack holds entries that it does not need");
  }

  void OnEntry(const EvidenceEntry& entry) {
    const LeafIndex leaf = entry.index;
    report_.Checked(Step::kTiles);
    if (last_.has_value() && leaf <= *last_)
      return Add(FindingCode::kLeafMismatch, leaf, "is not in its order");
    last_ = leaf;
    if (!VerifyInclusion(LeafHash(entry.entry), leaf, report_.size, entry.proof,
                         report_.root_hash)
             .ok())
      return Add(FindingCode::kLeafMismatch, leaf,
                 "is not in the tree of the checkpoint");
    const absl::StatusOr<LogEntry> decoded = DecodeLogEntry(entry.entry);
    if (!decoded.ok())
      return Add(FindingCode::kLeafMismatch, leaf, "is no log entry");
    links_.OnEntry(leaf, decoded->time);
    quorum_.OnEntry(leaf, decoded->time);
    report_.checkpoint_at = decoded->time;
    OnContent(entry, *decoded);
  }

  void OnContent(const EvidenceEntry& entry, const LogEntry& decoded) {
    const bool sealed =
        std::holds_alternative<CommitmentEntry>(decoded.content);
    const bool charter = std::holds_alternative<CharterEntry>(decoded.content);
    if (charter == entry.charter.empty() ||
        (!charter && !entry.charter_checkpoint.empty()))
      Add(FindingCode::kBadCharter, entry.index,
          "has a charter and is none, or the other way round");
    if (!sealed && !(entry.salt.empty() && entry.event.empty()))
      Add(FindingCode::kOpeningMismatch, entry.index,
          "is in the open and has an opening");
    TimelineEntry row{.index = entry.index, .at = decoded.time};
    if (const auto* version = std::get_if<CharterEntry>(&decoded.content)) {
      row.event = "charter";
      row.detail = absl::StrCat("version ", version->version);
      // Never the source's own failure: the pack is here.
      const bool watched = network_.newest().has_value() &&
                           network_.newest()->charter.witness_quorum > 0;
      (void)network_.OnCharter(entry.index, decoded.time, *version);
      (void)quorum_.OnCharter(entry.index, network_);
      if (!entry.charter_checkpoint.empty())
        OnCharterCheckpoint(entry, watched);
    } else if (const auto* key = std::get_if<KeyEventEntry>(&decoded.content)) {
      row.event = "key_event";
      const absl::StatusOr<KeyEvent> event = PeekKeyEvent(key->document);
      if (event.ok()) row.from = event->member.text();
      network_.OnKeyEvent(entry.index, decoded.time, *key);
    } else if (const auto* suspension =
                   std::get_if<SuspensionEntry>(&decoded.content)) {
      row.event = "suspension";
      const absl::StatusOr<Suspension> said =
          PeekSuspension(suspension->document);
      if (said.ok())
        row.detail = absl::StrCat("of ", said->member.text(), ", from ",
                                  FormatUtc(said->from), " until ",
                                  FormatUtc(said->until));
      network_.OnSuspension(entry.index, decoded.time, *suspension);
    } else {
      return OnSealed(entry, decoded);
    }
    timeline_(row);
  }

  // `needed`: the charter before asks for witnesses.
  void OnCharterCheckpoint(const EvidenceEntry& entry, bool needed) {
    const absl::StatusOr<Checkpoint> kept =
        PeekCheckpoint(entry.charter_checkpoint);
    if (!needed || !kept.ok())
      return Add(FindingCode::kBadCheckpoint, entry.index,
                 "has a checkpoint that it does not need, or none that can be "
                 "read");
    if (!VerifyConsistency(kept->size, kept->root, report_.size,
                           report_.root_hash, entry.consistency)
             .ok())
      return Add(FindingCode::kInconsistent, entry.index,
                 "has a checkpoint that is not of this log");
    quorum_.OnSize(kept->size, kept->root);
  }

  void OnSealed(const EvidenceEntry& entry, const LogEntry& decoded) {
    // It could be what excuses another one.
    if (entry.event.empty())
      return Add(FindingCode::kOpeningMissing, entry.index,
                 "is sealed, and nothing opens it");
    (void)openings_.Load(entry.index.value(), 1);
    const std::optional<AuditEvent> event =
        openings_.Open(entry.index, std::get<CommitmentEntry>(decoded.content));
    openings_.EndOfBundle();
    if (!event.has_value()) return;
    if (entry.index == evidence_.subject) event_ = event;
    events_.OnEvent(entry.index, decoded.time, *event);
  }

  void Add(FindingCode code, LeafIndex leaf, const char* what) {
    report_.Add(Step::kTiles,
                {code, leaf, absl::StrCat("entry ", leaf.value(), " ", what),
                 "RFC 9162 section 2.1.3.2, with the entry's proof and the "
                 "checkpoint's root"});
  }

  // A line by somebody unknown proves nothing, and could say anything.
  void CheckSigners() {
    CheckSigners(evidence_.checkpoint, std::nullopt);
    for (const EvidenceEntry& entry : evidence_.entries)
      if (!entry.charter_checkpoint.empty())
        CheckSigners(entry.charter_checkpoint, entry.index);
  }

  void CheckSigners(const std::string& note, std::optional<LeafIndex> about) {
    if (network_.newest().has_value() &&
        OnlyKnownSigners(note, network_) != note)
      report_.Add(Step::kCheckpoint,
                  {FindingCode::kBadCheckpoint, about,
                   "the checkpoint has a line by somebody who is neither log "
                   "nor witness",
                   ""});
  }

  void CheckDocument(const EvidenceDocument& document) {
    if (const absl::Status good = JudgeDocument(document); !good.ok())
      Refuse(FindingCode::kBadSignature,
             absl::StrCat("the document does not belong to the entry: ",
                          good.message()),
             "docs/EVIDENCE.md");
  }

  absl::Status JudgeDocument(const EvidenceDocument& document) {
    if (!event_.has_value() || network_.Charter() == nullptr)
      return absl::FailedPreconditionError("the entry itself cannot be judged");
    ASSIGN_OR_RETURN(const Dated dated, DatedBy(document));
    if (dated.anchor != AnchorDigest(document.salt, SdJwtDigest(document.token),
                                     document.manifest))
      return absl::PermissionDeniedError("the entry's anchor is another");
    // The entry's own signature vouches for what its member signed before.
    const KeyLookup keys = [&](const Digest& kid) -> absl::StatusOr<VerifyKey> {
      ASSIGN_OR_RETURN(
          const SignerRecord record,
          network_.keys().EarlierSigner(dated.by, kid, evidence_.subject));
      return record.key;
    };
    ASSIGN_OR_RETURN(verdict_.document_typ, PeekJwsTyp(document.token));
    if (absl::EndsWith(verdict_.document_typ, "+sd-jwt")) {
      ASSIGN_OR_RETURN(
          VerifiedSdJwt verified,
          VerifySdJwt(document.token, document.disclosures,
                      verdict_.document_typ, keys, kDocumentBytesMax));
      verdict_.claims = std::move(verified.claims);
      for (auto& [name, value] : verified.values)
        verdict_.disclosed.emplace_back(name, std::move(value));
    } else {
      if (!document.disclosures.empty())
        return absl::InvalidArgumentError("it has nothing to disclose");
      ASSIGN_OR_RETURN(VerifiedJws verified,
                       VerifyJws(document.token, verdict_.document_typ, keys,
                                 kDocumentBytesMax));
      verdict_.claims = std::move(verified.payload);
    }
    verdict_.document_signer = dated.by.text();
    return CheckClaims();
  }

  // What the entry says of the document that it is about, and who signed it.
  struct Dated {
    Digest anchor;
    MemberId by;
  };
  absl::StatusOr<Dated> DatedBy(const EvidenceDocument& document) const {
    if (const auto* envelope = std::get_if<EnvelopeEvent>(&*event_)) {
      ASSIGN_OR_RETURN(const Header header, DecodeHeader(envelope->header));
      return Dated{header.anchor, header.sender};
    }
    if (const auto* anchor = std::get_if<AnchorEvent>(&*event_)) {
      if (!document.manifest.IsZero())
        return absl::PermissionDeniedError("an anchor has no manifest");
      ASSIGN_OR_RETURN(const SignedAnchor made,
                       MakeSignedAnchor(anchor->anchor, anchor->signature));
      return Dated{made.anchor.anchor, made.anchor.member};
    }
    return absl::InvalidArgumentError("the entry is about no document");
  }

  absl::Status CheckClaims() const {
    const absl::StatusOr<std::string> iss = JsonString(*verdict_.claims, "iss");
    if (!iss.ok() || *iss != verdict_.document_signer)
      return absl::PermissionDeniedError(
          "its signer is not the member that it names");
    const absl::StatusOr<std::string> net = JsonString(*verdict_.claims, "net");
    if (!net.ok() || *net != network_.Charter()->network_id.ToString())
      return absl::PermissionDeniedError("it is of another network");
    return absl::OkStatus();
  }

  const Evidence& evidence_;
  bool elsewhere_ = false;
  EvidenceVerdict verdict_;
  PackSource source_;
  Report& report_;
  Erasures erasures_;  // stays empty: each entry of a pack is open
  CheckpointCheck checkpoint_;
  NetworkFold network_;
  CharterQuorum quorum_;
  OpeningCheck openings_;
  LinkCheck links_;
  const TimelineSink timeline_;
  const AccessAnchorSink anchors_;
  EventCheck events_;
  std::optional<LeafIndex> last_;
  std::optional<AuditEvent> event_;
};

}  // namespace

EvidenceVerdict JudgeEvidence(const Evidence& evidence,
                              const std::optional<Digest>& root) {
  return Judgement(evidence, root).Run();
}

}  // namespace amparo::auditor

#include "broker/core/notary.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "proto/envelope/access_origin.h"
#include "proto/envelope/erasure.h"
#include "proto/envelope/limits.h"
#include "proto/network/key_event.h"

namespace amparo::broker {
namespace {

constexpr size_t kAccessNoteBytesMax = 4096;

absl::Status NotYours(const char* field) {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "the document is not the caller's own for this network",
                   {.code = "verification_failed", .field = field});
}

absl::Status CheckAnchor(const Network& network, const MemberId& peer,
                         const SignedAnchor& signed_anchor, absl::Time now) {
  const Anchor& anchor = signed_anchor.anchor;
  if (anchor.member != peer || anchor.network_id != network.charter->network_id)
    return NotYours("member");
  if (anchor.created < now - kCreatedBefore ||
      anchor.created > now + kCreatedAfter)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "the anchor is not fresh",
                     {.code = "invalid_state", .field = "created"});
  ASSIGN_OR_RETURN(const VerifyKey key,
                   network.SignerLookup(peer, now)(anchor.kid));
  return VerifyAnchor(signed_anchor, key);
}

// A checkpoint of the caller's own access log, signed by its newest key: under
// another's name it would stand in the log as that member's for ever.
absl::Status CheckAccessNote(const Network& network, const MemberId& peer,
                             const std::string& note, absl::Time now) {
  const std::optional<SignerRecord> signer = network.keys.CurrentSigner(peer);
  if (!signer) return NotYours("note");
  ASSIGN_OR_RETURN(const VerifyKey key,
                   network.SignerLookup(peer, now)(signer->key.Thumbprint()));
  ASSIGN_OR_RETURN(
      const NoteVerifier own,
      NoteVerifier::Create(
          FormatAccessOrigin(network.charter->charter.network, peer),
          NoteKeyType::kEd25519, key));
  const absl::Status good = VerifyCheckpoint(note, own).status();
  return good.ok() || absl::IsInvalidArgument(good) ? good : NotYours("note");
}

}  // namespace

Notary::Notary(Store& store, Admission& admission, Ledger& ledger,
               const Clock& clock)
    : store_(store), admission_(admission), ledger_(ledger), clock_(clock) {}

void Notary::LogAnchor(const MemberId& peer, SignedAnchor anchor, Done done) {
  if (absl::Status status = admission_.CountOperation(peer); !status.ok())
    return done(std::move(status));
  ledger_.Submit(
      [this, peer, anchor = std::move(anchor)](
          const Network& network) -> absl::StatusOr<Op> {
        RETURN_IF_ERROR(network.Active(peer, clock_.Now()).status());
        Op op;
        op.action = Date{peer};
        op.event = EncodeAuditEvent(
            AnchorEvent{anchor.anchor_bytes, anchor.signature});
        absl::Status status = CheckAnchor(network, peer, anchor, clock_.Now());
        if (status.ok()) return op;
        if (anchor.anchor.member != peer) return status;
        return UnlessLogged(store_, std::move(op), std::move(status));
      },
      std::move(done));
}

void Notary::LogAccessCheckpoint(const MemberId& peer, std::string note,
                                 Done done) {
  if (absl::Status status = admission_.CountOperation(peer); !status.ok())
    return done(std::move(status));
  if (note.size() > kAccessNoteBytesMax)
    return done(MakeError(absl::StatusCode::kInvalidArgument,
                          "the note is too large", {.code = "too_large"}));
  ledger_.Submit(
      [this, peer,
       note = std::move(note)](const Network& network) -> absl::StatusOr<Op> {
        RETURN_IF_ERROR(network.Active(peer, clock_.Now()).status());
        Op op;
        op.action = Date{peer};
        op.event = EncodeAuditEvent(AccessLogEvent{note});
        absl::Status status =
            CheckAccessNote(network, peer, note, clock_.Now());
        if (status.ok()) return op;
        return UnlessLogged(store_, std::move(op), std::move(status));
      },
      std::move(done));
}

void Notary::LogErasure(const MemberId& peer, std::string token, Done done) {
  if (absl::Status status = admission_.CountOperation(peer); !status.ok())
    return done(std::move(status));
  ledger_.Submit(
      [this, peer, token = std::move(token)](const Network& network) {
        return ErasedOp(network, peer, token);
      },
      std::move(done));
}

absl::StatusOr<Op> Notary::ErasedOp(const Network& network,
                                    const MemberId& peer,
                                    const std::string& token) {
  RETURN_IF_ERROR(network.Active(peer, clock_.Now()).status());
  ASSIGN_OR_RETURN(const Erasure erasure, PeekErasure(token));
  if (erasure.member != peer || erasure.net != network.charter->network_id)
    return NotYours("iss");
  Op op;
  op.event = EncodeAuditEvent(ErasureEvent{token});
  const absl::Time now = clock_.Now();
  Erase erase{peer, std::nullopt, {}};
  if (erasure.authority == ErasureAuthority::kCaseOpener)
    erase.alone_if_asked_by = now - kErasureAnswer;

  absl::Status refusal =
      VerifyErasure(token, network.SignerLookup(peer, now)).status();
  for (const LeafIndex leaf : erasure.leaves) {
    const auto opening = store_.GetOpening(leaf);
    if (absl::IsNotFound(opening.status())) continue;  // erased, or in the open
    RETURN_IF_ERROR(opening.status());
    if (!Concerns(*opening, peer)) {
      erase.targets.clear();
      break;
    }
    erase.targets.push_back({leaf, opening->parties});
  }
  if (refusal.ok() && erase.targets.empty())
    refusal = MakeError(absl::StatusCode::kNotFound,
                        "the caller is not a party to these leaves",
                        {.code = "not_found"});
  op.action = std::move(erase);
  if (refusal.ok()) return op;
  return UnlessLogged(store_, std::move(op), std::move(refusal));
}

void Notary::PublishKeyEvent(const MemberId& peer, std::string document,
                             Done done) {
  if (absl::Status status = admission_.CountOperation(peer); !status.ok())
    return done(std::move(status));
  ledger_.Submit(
      [this, peer, document = std::move(document)](
          const Network& network) -> absl::StatusOr<Op> {
        // A member that is not active may still revoke: Check knows.
        ASSIGN_OR_RETURN(const KeyEvent event, PeekKeyEvent(document));
        if (event.member != peer) return NotYours("member");
        Op op;
        op.action = Publish{absl::StrCat("key/", peer.text(), "/", event.seq),
                            KeyEventEntry{document},
                            {}};
        absl::Status status = network.keys.Check(document, clock_.Now());
        if (status.ok()) return op;
        return UnlessLogged(store_, std::move(op), std::move(status));
      },
      std::move(done));
}

}  // namespace amparo::broker

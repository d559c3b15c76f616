#include <optional>
#include <utility>

#include "agents/institution/core/courier.h"
#include "agents/institution/core/opening_book.h"
#include "agents/institution/core/sealing.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/sd_jwt.h"

// What is decided right before an envelope leaves: whether it may, with what,
// under which anchors, sealed to which key.

namespace amparo::agent {
namespace {

// Documents whose date others may have to check.
bool NeedsAnchor(EventKind kind) {
  switch (kind) {
    case EventKind::kReferral:
    case EventKind::kUpdated:
    case EventKind::kDisclosed:
    case EventKind::kGranted:
    case EventKind::kRevoked:
      return true;
    default:
      return false;
  }
}

// Whose anchor: that of the event in which the document was issued.
const EventId& AnchoredEvent(const Draft& draft) {
  return draft.content_of ? *draft.content_of : draft.event_id;
}

}  // namespace

absl::StatusOr<std::optional<PayloadOrigin>> Courier::AnchorFor(
    const Draft& draft, const std::optional<Content>& content) {
  if (!NeedsAnchor(draft.kind)) return std::optional<PayloadOrigin>();
  if (!books_.log.MayGive()) return NotFollowed();
  const std::string& document = content ? content->document : draft.document;
  // An SD-JWT is named by its JWT alone, without disclosures.
  ASSIGN_OR_RETURN(
      PayloadOrigin origin,
      books_.anchors.Ensure(books_.broker, AnchoredEvent(draft),
                            SdJwtDigest(document.substr(0, document.find('~')))));
  return std::optional<PayloadOrigin>(std::move(origin));
}

absl::Status Courier::AnchorGrants(const CaseState& state) {
  for (const auto& [key, held] : state.authority.grants)
    if (held.status == GrantStatus::kActive &&
        held.grant.issuer == books_.keys.self()) {
      if (!books_.log.MayGive()) return NotFollowed();
      RETURN_IF_ERROR(books_.anchors
                          .Ensure(books_.broker, held.grant.event_id,
                                  held.grant.digest)
                          .status());
    }
  return absl::OkStatus();
}

absl::StatusOr<Courier::Fate> Courier::SealDraft(Draft draft,
                                                 std::optional<InFlight>& sealed) {
  if (!books_.time.MaySeal().ok()) return Fate::kWaits;
  if (draft.case_id && CarriesSections(draft.kind)) {
    const auto entry = books_.cases.Find(*draft.case_id);
    if (entry && books_.restored.AwaitedFor(entry->state, books_.keys.self()))
      return Fate::kHeld;
  }
  const absl::Time now = books_.time.Now();
  // Nobody takes it from a member that is suspended; it may come back.
  const absl::Status standing =
      books_.peers.ActiveMember(books_.keys.self(), now).status();
  if (ErrorCodeOf(standing) == "member_suspended") return Fate::kWaits;
  const absl::Status reachable =
      books_.peers.PrekeyFor(draft.recipient, now).status();
  const auto signer = books_.keys.Signer();
  // A revocation or an answer is still due when the recipient comes back; what
  // was to help now is told to its officer, who has a telephone.
  const bool for_its_return =
      ErrorCodeOf(reachable) == "member_suspended" && !CarriesSections(draft.kind);
  if (absl::IsFailedPrecondition(reachable) || for_its_return ||
      ErrorCodeOf(reachable) == "key_too_new" ||
      absl::IsFailedPrecondition(signer.status()))
    return Fate::kWaits;
  if (!reachable.ok()) {
    RETURN_IF_ERROR(GiveUp(draft, ErrorCodeOf(reachable), Batch()));
    return Fate::kGivenUp;
  }
  RETURN_IF_ERROR(signer.status());
  std::optional<Content> content;
  if (draft.case_id) {
    auto found = books_.cases.ContentOf(*draft.case_id, AnchoredEvent(draft),
                                        books_.keys.self());
    if (found.ok()) content = *std::move(found);
  }
  if (draft.case_id && CarriesSections(draft.kind))
    if (const auto entry = books_.cases.Find(*draft.case_id))
      RETURN_IF_ERROR(AnchorGrants(entry->state));
  ASSIGN_OR_RETURN(const std::optional<PayloadOrigin> origin,
                   AnchorFor(draft, content));
  ASSIGN_OR_RETURN(const std::optional<LinkHead> head,
                   books_.outbox.HeadOf(draft.recipient));
  const Digest kid = signer->verify_key().Thumbprint();
  const Link link{head && head->kid == kid ? head->seq + 1 : 1,
                  head ? head->digest : Digest()};

  ++draft.attempts;
  absl::Status refused;
  // One step with the case as it is: a revocation is before it, and counts, or
  // after it, and finds the envelope under way.
  bool taken_back = false;
  const auto seal = [&](const Case* entry) -> absl::StatusOr<CaseChange> {
    CaseChange change;
    ASSIGN_OR_RETURN(const bool waits, books_.outbox.Waits(draft));
    taken_back = !waits;
    if (taken_back) return change;
    ASSIGN_OR_RETURN(taken_back, DropWithdrawn(draft, entry, change));
    if (taken_back) return change;
    auto prepared = PreparePayload(draft, entry, content, *books_.peers.Now(),
                                   books_.log.view(), now);
    refused = prepared.status();
    if (!refused.ok()) return change;
    prepared->payload.origin = origin;
    auto envelope = books_.packer.Pack(draft.recipient, prepared->payload, link,
                                       books_.clock.Now());
    // Nothing makes it smaller: it must not keep all others waiting.
    if (ErrorCodeOf(envelope.status()) == "too_large") {
      refused = envelope.status();
      return change;
    }
    RETURN_IF_ERROR(envelope.status());
    sealed = InFlight{draft, *std::move(envelope)};
    const Digest digest = EnvelopeDigest(sealed->envelope);
    if (prepared->event) {
      PutOpening(digest, prepared->payload, change.rows);
      prepared->event->envelope = digest;
      prepared->event->leaf.reset();  // of the envelope before, if any
      change.events.push_back(*std::move(prepared->event));
    }
    books_.outbox.PutUnderWay(*sealed, LinkHead{kid, link.seq, digest}, change.rows);
    return change;
  };
  if (draft.case_id) {
    RETURN_IF_ERROR(books_.cases.Change(*draft.case_id, seal).status());
  } else {
    ASSIGN_OR_RETURN(const CaseChange change, seal(nullptr));
    RETURN_IF_ERROR(books_.kv.Write(change.rows));
  }
  if (taken_back) return Fate::kGivenUp;  // and noted by whoever took it
  if (refused.ok()) return Fate::kSealed;
  RETURN_IF_ERROR(GiveUp(draft, ErrorCodeOf(refused), Batch()));
  return Fate::kGivenUp;
}

}  // namespace amparo::agent

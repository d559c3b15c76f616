#include "agents/institution/core/cosigner.h"

#include <utility>

#include "base/status.h"
#include "crypto/checkpoint.h"
#include "proto/envelope/limits.h"
#include "proto/network/witnesses.h"

namespace amparo::agent {
namespace {

// A log that does not grow is shown, and cosigned, each hour.
constexpr absl::Duration kCosignAgain = absl::Minutes(30);

}  // namespace

Cosigner::Cosigner(MemberId self, SigningKey witness, const PeerBook& peers,
                   const LogWatch& log, Restored& restored, const Clock& clock)
    : self_(std::move(self)),
      witness_(std::move(witness)),
      peers_(peers),
      log_(log),
      restored_(restored),
      clock_(clock) {}

absl::Status Cosigner::FollowWitnessed(const std::string& note) {
  const auto since = restored_.NoWitnessSince();
  if (!since) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Note parsed, ParseNote(note));
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, ParseCheckpoint(parsed.text));
  const Charter& charter = peers_.Now()->charter.charter;
  if (checkpoint.origin != charter.network || charter.witness_quorum == 0 ||
      log_.RootAt(checkpoint.size) != checkpoint.root)
    return absl::OkStatus();
  // Only cosignatures made since: an old note with an old quorum may be of
  // before what this agent cosigned last.
  size_t others = 0;
  for (const NoteVerifier& witness : WitnessesOf(charter)) {
    if (witness.name() == WitnessName(charter.network, self_)) continue;
    const auto at = VerifyCosignature(parsed, witness);
    if (at.ok() && *at >= *since) ++others;
  }
  return others >= charter.witness_quorum ? restored_.WitnessAgain()
                                          : absl::OkStatus();
}

absl::Status Cosigner::Cosign(const std::string& note, BrokerPort& broker) {
  const auto peers = peers_.Now();
  const Charter& charter = peers->charter.charter;
  const Member* const self = charter.Find(self_);
  if (self == nullptr || self->status != MemberStatus::kActive ||
      self->witness_key != witness_.verify_key())
    return absl::OkStatus();
  if (restored_.NoWitnessSince()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Note parsed, ParseNote(note));
  ASSIGN_OR_RETURN(const Checkpoint checkpoint, ParseCheckpoint(parsed.text));
  const LogWatch::View view = log_.view();
  if (checkpoint.origin != charter.network || checkpoint.size != view.size ||
      checkpoint.root != view.root)
    return absl::FailedPreconditionError(
        "not the newest checkpoint that was followed");
  const absl::Time now = clock_.Now();
  // Whoever would follow could log nothing else before that time has come.
  if (peers->newest_entry > now + kClockStop) return absl::OkStatus();
  if (parsed.text == cosigned_ &&
      absl::AbsDuration(now - cosigned_at_) < kCosignAgain)
    return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const NoteSignature cosignature,
      CosignCheckpoint(parsed.text, WitnessName(charter.network, self_),
                       witness_, now));
  const absl::Status added =
      broker.AddCosignature(checkpoint.size, cosignature.signature);
  // Too late for this one: enough others were faster.
  if (!added.ok() && !absl::IsFailedPrecondition(added)) return added;
  cosigned_ = parsed.text;
  cosigned_at_ = now;
  return absl::OkStatus();
}

std::optional<absl::Time> Cosigner::CosignedAt(const std::string& note) const {
  const auto parsed = ParseNote(note);
  const auto own = NoteVerifier::Create(
      WitnessName(peers_.Now()->charter.charter.network, self_),
      NoteKeyType::kCosignatureV1, witness_.verify_key());
  if (!parsed.ok() || !own.ok()) return std::nullopt;
  const auto at = VerifyCosignature(*parsed, *own);
  return at.ok() ? std::optional<absl::Time>(*at) : std::nullopt;
}

}  // namespace amparo::agent

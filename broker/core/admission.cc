#include "broker/core/admission.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::broker {
namespace {

absl::Status Refuse(absl::StatusCode status, const char* code,
                    const char* field, const char* message,
                    const char* hint = "") {
  return MakeError(status, message,
                   {.code = code, .field = field, .hint = hint});
}

absl::Status CheckSizes(const Envelope& envelope, size_t bytes_max) {
  const size_t bytes = envelope.header_bytes.size() + envelope.enc.size() +
                       envelope.ciphertext.size() + sizeof(Signature);
  if (bytes > bytes_max)
    return Refuse(absl::StatusCode::kInvalidArgument, "too_large", "envelope",
                  "the envelope is larger than this broker takes");
  if (envelope.header.ciphertext_bytes != envelope.ciphertext.size())
    return Refuse(absl::StatusCode::kInvalidArgument, "invalid_form",
                  "ciphertext_bytes",
                  "the ciphertext has another size than the header says");
  return absl::OkStatus();
}

absl::Status CheckTimes(const Header& header, absl::Time now) {
  if (header.created < now - kCreatedBefore ||
      header.created > now + kCreatedAfter)
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat("the envelope was made at ", FormatUtc(header.created),
                     ", it is ", FormatUtc(now), " for the log"),
        {.code = "invalid_state",
         .field = "created",
         .expected = "10 minutes before to 5 minutes after the log's time",
         .hint = "compare the clocks, then seal it anew",
         .retryable = true});
  if (header.expires <= std::max(header.created, now) ||
      header.expires - header.created > kEnvelopeLifeMax)
    return Refuse(absl::StatusCode::kInvalidArgument, "invalid_form", "expires",
                  "the envelope's life is not allowed");
  return absl::OkStatus();
}

absl::Status CheckNetwork(const AcceptedCharter& accepted,
                          const Network& network, const Header& header) {
  if (header.network_id != accepted.network_id)
    return Refuse(absl::StatusCode::kPermissionDenied, "verification_failed",
                  "network_id", "the envelope is for another network");
  if (!accepted.charter.AllowsSuite(header.suite))
    return Refuse(absl::StatusCode::kFailedPrecondition, "invalid_state",
                  "suite", "the charter does not allow this suite");
  if (!network.versions.contains(header.charter_hash))
    return Refuse(absl::StatusCode::kFailedPrecondition, "invalid_state",
                  "charter_hash", "no charter of the network has this hash");
  return absl::OkStatus();
}

absl::Status CheckRecipient(const Network& network, const MemberId& id,
                            absl::Time now) {
  const Member* const recipient = network.charter->charter.Find(id);
  if (recipient == nullptr || !HasMailbox(recipient->kind))
    return Refuse(absl::StatusCode::kNotFound, "unknown_member", "recipient",
                  "no such recipient in the network");
  if (!network.Active(id, now).ok())
    return Refuse(absl::StatusCode::kFailedPrecondition, "member_suspended",
                  "recipient", "the recipient is not active");
  return absl::OkStatus();
}

// The newest prekey, or one whose successor counts for less than an hour: its
// private half may still be there. docs/PROTOCOL.md, Prekeys.
absl::Status CheckPrekey(const KeyDirectory& keys, const WitnessBook& witnesses,
                         const Header& header, absl::Time now) {
  std::optional<absl::Time> successor_at;
  for (const PrekeyRecord& prekey : keys.Prekeys(header.recipient)) {
    if (prekey.key.Id() != header.prekey_id) {
      successor_at = witnesses.CountsFrom(prekey.leaf, prekey.logged_at);
      continue;
    }
    if (successor_at && now > *successor_at + kPrekeySuccessorGrace) break;
    return absl::OkStatus();
  }
  return Refuse(absl::StatusCode::kFailedPrecondition, "invalid_state",
                "prekey_id", "not a current prekey of the recipient",
                "seal it anew to the newest prekey");
}

}  // namespace

Admission::Admission(const AdmissionLimits& limits,
                     const WitnessBook& witnesses, const Clock& clock)
    : limits_(limits), witnesses_(witnesses), clock_(clock) {}

absl::Status Admission::CountOperation(const MemberId& member) {
  MutexLock lock(mutex_);
  return Count(member, operations_);
}

absl::Status Admission::CountReading(const MemberId& member) {
  MutexLock lock(mutex_);
  return Count(member, readings_);
}

absl::Status Admission::Count(const MemberId& member, Buckets& buckets) {
  const absl::Time now = clock_.Now();
  const double rate = limits_.member_rate_per_s;
  Bucket& bucket = buckets.try_emplace(member, Bucket{rate, now}).first->second;
  if (now > bucket.filled_at) {
    const double gained = absl::ToDoubleSeconds(now - bucket.filled_at) * rate;
    bucket.tokens = std::min(rate, bucket.tokens + gained);
    bucket.filled_at = now;
  }
  if (bucket.tokens < 1)
    return MakeError(absl::StatusCode::kResourceExhausted,
                     "the member does more operations a second than it may",
                     {.code = "broker_unreachable", .retryable = true});
  bucket.tokens -= 1;
  return absl::OkStatus();
}

absl::Status Admission::CheckHeader(const Network& network,
                                    const MemberId& peer,
                                    const Envelope& envelope,
                                    absl::Time log_time) const {
  const Header& header = envelope.header;
  if (header.sender != peer)
    return Refuse(absl::StatusCode::kPermissionDenied, "verification_failed",
                  "sender", "the envelope has another sender");
  const absl::Time now = std::max(clock_.Now(), log_time);
  RETURN_IF_ERROR(network.Active(peer, now).status());
  RETURN_IF_ERROR(CheckSizes(envelope, limits_.envelope_bytes_max));
  RETURN_IF_ERROR(CheckNetwork(*network.charter, network, header));
  RETURN_IF_ERROR(CheckTimes(header, now));
  RETURN_IF_ERROR(CheckRecipient(network, header.recipient, now));
  RETURN_IF_ERROR(CheckPrekey(network.keys, witnesses_, header, now));
  if (header.link_seq == 0 || header.link_seq > kLinkMax)
    return Refuse(absl::StatusCode::kInvalidArgument, "invalid_form",
                  "link_seq", "links are numbered from 1 to 2^62");
  return absl::OkStatus();
}

// A key that waits for a quorum is used by no honest agent, and its mail would
// hold up all that is behind it.
absl::Status Admission::CheckKeyCounts(const Network& network,
                                       const Header& header) const {
  ASSIGN_OR_RETURN(
      const SignerRecord signer,
      network.keys.SignerAt(header.sender, header.sender_kid,
                            LeafIndex(std::numeric_limits<uint64_t>::max()),
                            clock_.Now()));
  if (witnesses_.CountsFrom(signer.leaf, signer.logged_at) <
      absl::InfiniteFuture())
    return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      "the signing key waits for a quorum of witnesses",
      {.code = "invalid_state", .field = "sender_kid", .retryable = true});
}

absl::Status Admission::CheckSignature(const Network& network,
                                       const Envelope& envelope,
                                       const Digest& body) const {
  const Header& header = envelope.header;
  const KeyLookup lookup = network.SignerLookup(header.sender, clock_.Now());
  ASSIGN_OR_RETURN(const VerifyKey key, lookup(header.sender_kid));
  RETURN_IF_ERROR(CheckKeyCounts(network, header));
  return VerifyEnvelopeSignature(header, envelope.header_bytes, body,
                                 envelope.signature, key);
}

}  // namespace amparo::broker

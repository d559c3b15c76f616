#include "agents/institution/core/key_ring.h"

#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/network/certificate_request.h"

namespace amparo::agent {
namespace {

// Rows: seeds by kid, prekeys' secrets by id and when each was made, and the
// one event that is made but not yet seen in the log.
constexpr char kSigningPrefix[] = "key/signing/";
constexpr char kPrekeyPrefix[] = "key/prekey/";
constexpr char kPrekeyMadePrefix[] = "key/prekey-made/";
constexpr char kPrekeyReplacedPrefix[] = "key/prekey-replaced/";
constexpr char kPendingKey[] = "key/pending";
// What outlives the keys: which ids are of keys made here.
constexpr char kOwnPrefix[] = "key/own/";
constexpr char kRevokedPrefix[] = "key/revoked/";

absl::Status NoSigner() {
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      "this agent's signing key is not in the log yet",
      {.code = "invalid_state",
       .hint = "it is published once the charter names this member, and counts "
               "once enough witnesses cosigned the log with it: `amparo status` "
               "says how many did",
       .retryable = true});
}

std::optional<LeafIndex> LeafOfRevocation(
    const std::vector<SignerRecord>& signers, const Digest& kid) {
  for (const SignerRecord& signer : signers)
    if (signer.key.Thumbprint() == kid) return signer.revoked_at;
  return std::nullopt;
}

void DestroyPrekey(const std::string& id, Batch& batch) {
  batch.Delete(kPrekeyPrefix + id);
  batch.Delete(kPrekeyMadePrefix + id);
  batch.Delete(kPrekeyReplacedPrefix + id);
}

}  // namespace

KeyRing::KeyRing(KeyValue& kv, MemberId self, SigningKey identity,
                 const PeerBook& peers, const Clock& clock,
                 absl::Duration prekey_interval)
    : kv_(kv),
      self_(std::move(self)),
      identity_(std::move(identity)),
      peers_(peers),
      clock_(clock),
      prekey_interval_(prekey_interval) {}

absl::StatusOr<std::unique_ptr<KeyRing>> KeyRing::Open(
    KeyValue& kv, MemberId self, SigningKey identity, const PeerBook& peers,
    const Clock& clock, absl::Duration prekey_interval) {
  std::unique_ptr<KeyRing> ring(new KeyRing(
      kv, std::move(self), std::move(identity), peers, clock, prekey_interval));
  RETURN_IF_ERROR(ring->Load());
  return ring;
}

std::optional<SignerRecord> KeyRing::OwnSigner(const Peers& peers) const {
  auto signer = peers.keys.CurrentSigner(self_);
  if (signer && signer->until <= clock_.Now()) return std::nullopt;
  return signer;
}

absl::StatusOr<SigningKey> KeyRing::SigningKeyOf(const Digest& kid) const {
  ASSIGN_OR_RETURN(const Bytes seed,
                   kv_.Get(kSigningPrefix + ToHex(kid.bytes())));
  return SigningKey::FromSeed(SecretKeyBytes::CopyOf(seed));
}

absl::StatusOr<SigningKey> KeyRing::Signer() const {
  const auto signer = OwnSigner(*peers_.Now());
  if (!signer) return NoSigner();
  auto key = SigningKeyOf(signer->key.Thumbprint());
  // A key in this member's name that this agent does not hold.
  if (absl::IsNotFound(key.status())) return NoSigner();
  return key;
}

absl::StatusOr<OpeningKey> KeyRing::OpeningFor(const Digest& prekey_id) const {
  ASSIGN_OR_RETURN(const Bytes secret,
                   kv_.Get(kPrekeyPrefix + ToHex(prekey_id.bytes())));
  return OpeningKey::FromSecret(SecretKeyBytes::CopyOf(secret));
}

std::optional<absl::Time> KeyRing::SigningUntil() const {
  const auto signer = OwnSigner(*peers_.Now());
  if (!signer) return std::nullopt;
  return signer->until;
}

std::optional<absl::Time> KeyRing::PrekeyUntil() const {
  const auto prekeys = peers_.Now()->keys.Prekeys(self_);
  if (prekeys.empty()) return std::nullopt;
  return prekeys.front().until;
}

KeyEvent KeyRing::NextEvent(const Peers& peers, KeyEventKind kind,
                            std::variant<VerifyKey, SealingKey> key,
                            absl::Duration life) const {
  const KeyDirectory::Head head = peers.keys.HeadOf(self_);
  // Whole seconds: what is signed has no fractions.
  const absl::Time now = TimeFromUnix(UnixSeconds(clock_.Now()));
  return KeyEvent{.net = peers.charter.network_id,
                  .member = self_,
                  .seq = head.seq + 1,
                  .prev_hash = head.hash,
                  .charter_hash = peers.charter.hash,
                  .kind = kind,
                  .key = std::move(key),
                  .from = now,
                  .until = now + life,
                  .vouched_by_old = std::nullopt};
}

absl::Status KeyRing::MakeSigningKey(
    const Peers& peers, const std::optional<SignerRecord>& old) {
  const SigningKey fresh = SigningKey::Generate();
  KeyEvent event = NextEvent(peers, KeyEventKind::kSigning, fresh.verify_key(),
                             kSigningKeyLife);
  if (old) {
    if (const auto old_key = SigningKeyOf(old->key.Thumbprint()); old_key.ok())
      event.vouched_by_old = VouchForKey(event, *old_key);
  }
  const std::string document = SignKeyEvent(event, identity_);
  const std::string kid = ToHex(fresh.verify_key().Thumbprint().bytes());
  Batch batch;
  batch.Put(kSigningPrefix + kid, fresh.seed().Expose());
  batch.Put(kOwnPrefix + kid, {});
  batch.Put(kPendingKey, AsBytes(document));
  return kv_.Write(batch);
}

absl::Status KeyRing::MakePrekey(const Peers& peers,
                                 const SigningKey& signer) {
  const OpeningKey fresh = OpeningKey::Generate();
  const std::string document = SignKeyEvent(
      NextEvent(peers, KeyEventKind::kPrekey, fresh.sealing_key(), kPrekeyLife),
      signer);
  const std::string id = ToHex(fresh.sealing_key().Id().bytes());
  Bytes made;
  AppendU64(made, static_cast<uint64_t>(UnixSeconds(clock_.Now())));
  Batch batch;
  batch.Put(kPrekeyPrefix + id, fresh.secret().Expose());
  batch.Put(kPrekeyMadePrefix + id, made);
  batch.Put(kOwnPrefix + id, {});
  batch.Put(kPendingKey, AsBytes(document));
  return kv_.Write(batch);
}

absl::Status KeyRing::MakeRevocation(const Peers& peers,
                                     const Digest& kid) {
  for (const SignerRecord& signer : peers.keys.SignersOf(self_)) {
    if (signer.key.Thumbprint() != kid) continue;
    const std::string document = SignKeyEvent(
        NextEvent(peers, KeyEventKind::kRevoke, signer.key, kSigningKeyLife),
        identity_);
    Bytes at;
    AppendU64(at, static_cast<uint64_t>(UnixSeconds(clock_.Now())));
    Batch batch;
    batch.Put(kRevokedPrefix + ToHex(kid.bytes()), at);
    batch.Put(kPendingKey, AsBytes(document));
    return kv_.Write(batch);
  }
  return absl::InternalError("a revocation of a key that never was");
}

bool KeyRing::IsOwn(const Digest& kid_or_prekey_id) const {
  return kv_.Get(kOwnPrefix + ToHex(kid_or_prekey_id.bytes())).ok();
}

std::optional<absl::Time> KeyRing::RevokedHereAt(const Digest& kid) const {
  const auto at = kv_.Get(kRevokedPrefix + ToHex(kid.bytes()));
  if (!at.ok() || at->size() != 8) return std::nullopt;
  return TimeFromUnix(static_cast<int64_t>(ReadU64(*at)));
}

// Sends the event that is stored as pending, again if need be: the same event
// gets the same leaf. Once proven it is no longer pending.
absl::Status KeyRing::PublishPending(BrokerPort& broker, const Peers& peers) {
  const auto pending = kv_.Get(kPendingKey);
  if (absl::IsNotFound(pending.status())) return absl::OkStatus();
  RETURN_IF_ERROR(pending.status());
  ASSIGN_OR_RETURN(const KeyEvent event, PeekKeyEvent(AsText(*pending)));
  if (event.seq > peers.keys.HeadOf(self_).seq && event.until > clock_.Now())
    return broker.PublishKeyEvent(AsText(*pending)).status();
  // Proven; or its key ran out before it could be published, and no log takes
  // it any more: another one is due.
  Batch batch;
  batch.Delete(kPendingKey);
  return kv_.Write(batch);
}

KeyRing::Due KeyRing::WhatIsDue(const Peers& peers, const Member& self,
                                const std::optional<KeyOrder>& order) const {
  const absl::Time now = clock_.Now();
  const auto signer = OwnSigner(peers);
  const bool held =
      signer.has_value() && SigningKeyOf(signer->key.Thumbprint()).ok();
  if (order && order->kind == KeyOrder::Kind::kRevoke) {
    const auto revoked = LeafOfRevocation(peers.keys.SignersOf(self_), order->kid);
    if (!revoked) return Due::kRevocation;
    if (order->replaces && self.status == MemberStatus::kActive &&
        (!held || signer->leaf < *revoked))
      return Due::kSigningKeyByIAlone;
  }
  if (self.status != MemberStatus::kActive) return Due::kNothing;
  const bool rotate = order && order->kind == KeyOrder::Kind::kRotate;
  if (!held || now >= signer->logged_at + kSigningKeyRotateAfter ||
      (rotate && signer->key.Thumbprint() == order->kid))
    return Due::kSigningKey;
  if (!HasMailbox(self.kind)) return Due::kNothing;
  const auto prekeys = peers.keys.Prekeys(self_);
  if (prekeys.empty() || !OpeningFor(prekeys.front().key.Id()).ok() ||
      now >= prekeys.front().logged_at + prekey_interval_ ||
      (rotate && prekeys.front().key.Id() == order->prekey))
    return Due::kPrekey;
  return Due::kNothing;
}

absl::Status KeyRing::Maintain(BrokerPort& broker) {
  MutexLock lock(maintaining_);
  const auto peers = peers_.Now();
  RETURN_IF_ERROR(PublishPending(broker, *peers));
  if (kv_.Get(kPendingKey).ok()) return absl::OkStatus();  // until it is proven
  const auto charter = CharterAt(peers, clock_.Now());
  const Member* self = charter->Find(self_);
  if (self == nullptr || self->identity_key != identity_.verify_key())
    return absl::OkStatus();  // nobody would believe our events yet

  const std::optional<KeyOrder> order = OpenOrder();
  switch (WhatIsDue(*peers, *self, order)) {
    case Due::kNothing:
      return order && self->status == MemberStatus::kActive ? NoteDone(*order)
                                                            : absl::OkStatus();
    case Due::kRevocation:
      RETURN_IF_ERROR(MakeRevocation(*peers, order->kid));
      LogEvent("signing_key_revoked");
      break;
    case Due::kSigningKey:
      RETURN_IF_ERROR(MakeSigningKey(*peers, OwnSigner(*peers)));
      LogEvent("signing_key_made");
      break;
    case Due::kSigningKeyByIAlone:
      RETURN_IF_ERROR(MakeSigningKey(*peers, std::nullopt));
      LogEvent("signing_key_made");
      break;
    case Due::kPrekey: {
      ASSIGN_OR_RETURN(const SigningKey key,
                       SigningKeyOf(OwnSigner(*peers)->key.Thumbprint()));
      RETURN_IF_ERROR(MakePrekey(*peers, key));
      LogEvent("prekey_made");
      break;
    }
  }
  return PublishPending(broker, *peers);
}

absl::Status KeyRing::DestroyOldPrekeys(BrokerPort& broker,
                                        std::optional<LeafIndex> cursor,
                                        const std::set<Digest>& needed) {
  const auto peers = peers_.Now();
  const absl::Time now = clock_.Now();
  const std::vector<PrekeyRecord> prekeys = peers->keys.Prekeys(self_);
  std::vector<std::string> replaced;
  Batch batch;
  for (size_t i = 1; i < prekeys.size(); ++i) {  // newest first; 0 stays
    const std::string id = ToHex(prekeys[i].key.Id().bytes());
    if (!kv_.Get(kPrekeyPrefix + id).ok()) continue;
    // By when its successor was first seen in force: it may have waited long
    // for a quorum, and the broker takes mail for an hour from then.
    const auto since = kv_.Get(kPrekeyReplacedPrefix + id);
    if (since.ok() && now >= TimeFromUnix(static_cast<int64_t>(ReadU64(
                                 *since))) + kPrekeyDestroyAfter &&
        !needed.contains(prekeys[i].key.Id()))
      replaced.push_back(id);
    if (!absl::IsNotFound(since.status())) continue;
    Bytes first;
    AppendU64(first, static_cast<uint64_t>(UnixSeconds(now)));
    batch.Put(kPrekeyReplacedPrefix + id, first);
  }
  if (!batch.empty()) RETURN_IF_ERROR(kv_.Write(batch));
  batch = {};
  // By when it was made: the log forgets the prekeys of a revoked signing key,
  // and their secrets must go all the same.
  RETURN_IF_ERROR(kv_.Scan(
      kPrekeyMadePrefix, "", [&](absl::string_view key, ByteView made) {
        const absl::Time at = TimeFromUnix(static_cast<int64_t>(ReadU64(made)));
        key.remove_prefix(sizeof kPrekeyMadePrefix - 1);
        if (now >= at + kPrekeyDestroyLatest)
          DestroyPrekey(std::string(key), batch);
        return true;
      }));
  // No broker takes mail for them any more: what is in the mailbox is the last.
  absl::Status waits;
  if (!replaced.empty()) waits = broker.DrainedTo(cursor).status();
  if (waits.ok())
    for (const std::string& id : replaced) DestroyPrekey(id, batch);
  if (!batch.empty()) {
    RETURN_IF_ERROR(kv_.Write(batch));
    RETURN_IF_ERROR(kv_.Purge(kPrekeyPrefix));
  }
  return absl::IsFailedPrecondition(waits) ? absl::OkStatus() : waits;
}

std::string KeyRing::RequestCertificate(absl::string_view csr_pem) const {
  return SignCertificateRequest({.net = peers_.Now()->charter.network_id,
                                 .member = self_,
                                 .csr = Sha256(AsBytes(csr_pem)),
                                 .at = TimeFromUnix(UnixSeconds(clock_.Now()))},
                                identity_);
}

}  // namespace amparo::agent

#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/broker_port.h"
#include "agents/institution/core/key_order.h"
#include "agents/institution/core/peer_book.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "crypto/keys.h"
#include "proto/network/key_event.h"

namespace amparo::agent {

// This agent's own keys: the identity I, the signing key A that I certifies,
// the daily prekeys P that A certifies. A key is stored before its event is
// published, and used only once the event stands in the proven log.
// Thread-safe.
class KeyRing {
 public:
  // All arguments must outlive the ring; `kv` is encrypted at rest.
  static absl::StatusOr<std::unique_ptr<KeyRing>> Open(
      KeyValue& kv, MemberId self, SigningKey identity, const PeerBook& peers,
      const Clock& clock, absl::Duration prekey_interval);

  // Publishes what is due: the first or next signing key, the next prekey, and
  // events whose publication was cut off, unless their key ran out meanwhile. Call at start, when the log grew,
  // and every minute. UNAVAILABLE when the broker is away.
  absl::Status Maintain(BrokerPort& broker);

  // Destroys prekeys whose successor came into force two hours ago, once the broker
  // says that nothing waits in the mailbox after `cursor`, the last leaf taken
  // in, but for those that mail is sealed to which waits here (`needed`); and
  // those older than 21 days in any case. UNAVAILABLE when the broker is away.
  absl::Status DestroyOldPrekeys(BrokerPort& broker,
                                 std::optional<LeafIndex> cursor,
                                 const std::set<Digest>& needed);

  // A person's order to replace the keys now, or to revoke a signing key (by I;
  // whoever made it; nullopt: the one in force). Kept and carried out by
  // Maintain. One at a time: what is asked while another waits is that one
  // again, if it asks for the same, else FAILED_PRECONDITION ("invalid_state").
  // The `request_id` of the last order gets that order, done or not.
  // NOT_FOUND for a key that this member never had; FAILED_PRECONDITION before
  // the first key is proven.
  absl::StatusOr<KeyOrder> OrderRotation(absl::string_view request_id);
  absl::StatusOr<KeyOrder> OrderRevocation(absl::string_view request_id,
                                           const std::optional<Digest>& kid);

  std::optional<KeyOrder> LastOrder() const;

  // Whether this agent made that signing key or prekey, be it destroyed by now.
  bool IsOwn(const Digest& kid_or_prekey_id) const;
  // When this agent signed the revocation of `kid`; nullopt if it did not.
  std::optional<absl::Time> RevokedHereAt(const Digest& kid) const;

  // The signing key in force. FAILED_PRECONDITION before the first is proven.
  absl::StatusOr<SigningKey> Signer() const;
  // The private half of a prekey; NOT_FOUND when it never was or is destroyed.
  absl::StatusOr<OpeningKey> OpeningFor(const Digest& prekey_id) const;

  // With which this agent asks the broker for a certificate again, for `csr_pem`.
  std::string RequestCertificate(absl::string_view csr_pem) const;

  const MemberId& self() const { return self_; }
  const VerifyKey& identity() const { return identity_.verify_key(); }
  // Ends of the keys in force, for people; nullopt before the first.
  std::optional<absl::Time> SigningUntil() const;
  std::optional<absl::Time> PrekeyUntil() const;

 private:
  KeyRing(KeyValue& kv, MemberId self, SigningKey identity, const PeerBook& peers,
          const Clock& clock, absl::Duration prekey_interval);
  enum class Due { kNothing, kRevocation, kSigningKey, kSigningKeyByIAlone, kPrekey };
  Due WhatIsDue(const Peers& peers, const Member& self,
                const std::optional<KeyOrder>& order) const;
  absl::Status Load();
  std::optional<KeyOrder> OpenOrder() const;
  // The order that this asks for once more; an error when it cannot be asked.
  absl::StatusOr<std::optional<KeyOrder>> Earlier(
      KeyOrder::Kind kind, absl::string_view request_id,
      const std::optional<Digest>& kid) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(ordering_);
  absl::StatusOr<KeyOrder> Keep(KeyOrder order)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(ordering_);
  absl::Status NoteDone(KeyOrder order);
  std::optional<SignerRecord> OwnSigner(const Peers& peers) const;
  // Each stores a key and the event that says so, as pending.
  absl::Status MakeSigningKey(const Peers& peers,
                              const std::optional<SignerRecord>& old);
  absl::Status MakePrekey(const Peers& peers, const SigningKey& signer);
  absl::Status MakeRevocation(const Peers& peers, const Digest& kid);
  absl::Status PublishPending(BrokerPort& broker, const Peers& peers);
  absl::StatusOr<SigningKey> SigningKeyOf(const Digest& kid) const;
  KeyEvent NextEvent(const Peers& peers, KeyEventKind kind,
                     std::variant<VerifyKey, SealingKey> key,
                     absl::Duration life) const;

  KeyValue& kv_;
  const MemberId self_;
  const SigningKey identity_;
  const PeerBook& peers_;
  const Clock& clock_;
  const absl::Duration prekey_interval_;
  Mutex maintaining_;  // one Maintain at a time
  mutable Mutex ordering_;
  std::optional<KeyOrder> order_ ABSL_GUARDED_BY(ordering_);  // the last one
};

}  // namespace amparo::agent

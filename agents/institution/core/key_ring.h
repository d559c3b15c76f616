#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/broker_port.h"
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

  // Destroys prekeys whose successor was proven two hours ago, once the broker
  // says that nothing waits in the mailbox after `cursor`, the last leaf taken
  // in; and those older than 21 days in any case. UNAVAILABLE when the broker
  // is away.
  absl::Status DestroyOldPrekeys(BrokerPort& broker,
                                 std::optional<LeafIndex> cursor);

  // The signing key in force. FAILED_PRECONDITION before the first is proven.
  absl::StatusOr<SigningKey> Signer() const;
  // The private half of a prekey; NOT_FOUND when it never was or is destroyed.
  absl::StatusOr<OpeningKey> OpeningFor(const Digest& prekey_id) const;

  const MemberId& self() const { return self_; }
  const VerifyKey& identity() const { return identity_.verify_key(); }
  // Ends of the keys in force, for people; nullopt before the first.
  std::optional<absl::Time> SigningUntil() const;
  std::optional<absl::Time> PrekeyUntil() const;

 private:
  KeyRing(KeyValue& kv, MemberId self, SigningKey identity, const PeerBook& peers,
          const Clock& clock, absl::Duration prekey_interval);
  std::optional<SignerRecord> OwnSigner(const Peers& peers) const;
  absl::StatusOr<std::string> NextSigningEvent(const Peers& peers,
                                               const std::optional<SignerRecord>& old);
  absl::StatusOr<std::string> NextPrekeyEvent(const Peers& peers,
                                              const SigningKey& signer);
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
};

}  // namespace amparo::agent

#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/key_ring.h"
#include "agents/institution/core/peer_book.h"
#include "crypto/digest.h"
#include "proto/content/payload.h"
#include "proto/envelope/envelope.h"

namespace amparo::agent {

// The place of an envelope in the chain to its recipient.
struct Link {
  uint64_t seq = 1;
  Digest prev;  // zero: none
};

// Payload <-> envelope: padding, sealing, the outer signature. The only caller
// of Seal and Open. Thread-safe.
class Packer {
 public:
  // Both must outlive the packer.
  Packer(const PeerBook& peers, const KeyRing& keys) : peers_(peers), keys_(keys) {}

  // Sealed to the newest usable prekey of `recipient`, signed by the key in
  // force. Errors of PeerBook::PrekeyFor and KeyRing::Signer;
  // RESOURCE_EXHAUSTED (code "too_large") for a payload beyond 1 MiB.
  absl::StatusOr<Envelope> Pack(const MemberId& recipient, const Payload& payload,
                                const Link& link, absl::Time now) const;

  // NOT_FOUND when the prekey is unknown or destroyed; PERMISSION_DENIED when
  // it does not open, or its anchor or padding is wrong; INVALID_ARGUMENT for a
  // payload that is none.
  absl::StatusOr<Payload> Unpack(const Envelope& envelope) const;

 private:
  const PeerBook& peers_;
  const KeyRing& keys_;
};

}  // namespace amparo::agent

#pragma once

#include "absl/status/statusor.h"
#include "agents/institution/core/broker_port.h"
#include "agents/institution/core/key_ring.h"
#include "agents/institution/core/log_watch.h"
#include "agents/institution/core/peer_book.h"
#include "agents/institution/core/promises.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "proto/content/payload.h"
#include "proto/envelope/ids.h"

namespace amparo::agent {

// Dates of this agent's documents in the log: no second story can bear the
// first one's date. One thread at a time.
class Anchors {
 public:
  // All must outlive this.
  Anchors(KeyValue& kv, const KeyRing& keys, const PeerBook& peers,
          const Promises& promises, const Clock& clock)
      : kv_(kv), keys_(keys), peers_(peers), promises_(promises), clock_(clock) {}

  // Logs the anchor of the document of event `id` unless it stands in the log;
  // what a recipient needs to check it. Errors of the broker.
  absl::StatusOr<PayloadOrigin> Ensure(BrokerPort& broker, const EventId& id,
                                       const Digest& document);

 private:
  absl::StatusOr<PayloadOrigin> Make(const EventId& id, const Digest& document);
  absl::StatusOr<PayloadOrigin> Log(BrokerPort& broker, const EventId& id,
                                    PayloadOrigin origin);

  KeyValue& kv_;
  const KeyRing& keys_;
  const PeerBook& peers_;
  const Promises& promises_;
  const Clock& clock_;
};

// The anchor of the document of event `id` of this agent's own, as it stands in
// the log. NOT_FOUND while it does not.
absl::StatusOr<PayloadOrigin> LoggedAnchor(const KeyValue& kv,
                                           const EventId& id);

// After the broker was rebuilt: anchors that it promised from leaf `from` on,
// and that the log does not hold, are made anew when they are needed.
absl::Status ForgetLostAnchors(const KeyValue& kv, const LogWatch& log,
                               LeafIndex from, Batch& rows);

// OK when `origin` is an anchor of `document` by a key of `issuer` valid at its
// leaf, and the proven log holds it there. OUT_OF_RANGE while that leaf is not
// proven.
absl::Status VerifyOrigin(const PayloadOrigin& origin, const Digest& document,
                          const MemberId& issuer, const Peers& peers,
                          const LogWatch& log);

}  // namespace amparo::agent

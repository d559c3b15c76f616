#pragma once

#include <functional>

#include "agents/institution/core/access_log.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/held_mail.h"
#include "agents/institution/core/key_ring.h"
#include "agents/institution/core/log_watch.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/core/outbox.h"
#include "agents/institution/core/peer_book.h"
#include "agents/institution/core/restored.h"
#include "base/clock.h"
#include "base/kv/kv.h"

namespace amparo::agent {

// What the desks work with. All must outlive them.
struct Desk {
  CaseBook& cases;
  Outbox& outbox;
  const HeldMail& held;
  PeerBook& peers;
  const LogWatch& log;
  KeyRing& keys;
  const OfficerBook& officers;
  AccessLog& access_log;
  KeyValue& kv;  // the store of `cases`: rows of the desks' own lie beside it
  const Restored& restored;
  const Clock& clock;
  std::function<void()> wake_courier;  // something was queued
  std::function<void()> keys_confirmed;  // what was held may be taken in
};

// What one decision of a desk is taken on: the network, the time and the key,
// all of one moment.
struct Moment {
  std::shared_ptr<const Peers> peers;
  absl::Time now;  // whole seconds: it is signed
  std::shared_ptr<const Charter> charter_now;  // CharterAt(peers, now)

  const Charter& charter() const { return *charter_now; }
  const Digest& net() const { return peers->charter.network_id; }
};
Moment TakeMoment(const Desk& desk);

}  // namespace amparo::agent

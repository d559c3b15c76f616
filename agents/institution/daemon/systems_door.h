#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/loop.h"
#include "agents/institution/daemon/config.h"
#include "agents/institution/daemon/data_dir.h"
#include "agents/institution/rpc/systems_port.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "base/mutex.h"

namespace amparo::agent {

// Where IT systems come in (docs/OPERATIONS.md, IT systems): the port, its
// certificate, and the files that say where it is and what its clients pin. The
// certificate is new at each opening and renews itself before it ends.
// Thread-safe.
class SystemsDoor {
 public:
  // Opens it when `config` asks for it; else null, and no file says where it
  // is. All must outlive it.
  static absl::StatusOr<std::unique_ptr<SystemsDoor>> Open(
      const DataDir& data, const AgentConfig& config, KeyValue& kv,
      const ApiParts& parts, const Clock& clock);

  // Opens it anew, at the same place, when the certificate ends in 30 days or
  // less: calls under way get a few seconds, and systems connect again. Called
  // every hour by itself.
  absl::Status Keep();
  // When the certificate ends.
  absl::Time certificate_end() const;
  int port() const;

  // Takes no more calls, lets running ones end within `grace`. For good.
  void Shutdown(absl::Duration grace);

 private:
  SystemsDoor(const DataDir& data, const AgentConfig& config, KeyValue& kv,
              const ApiParts& parts, const Clock& clock)
      : data_(data), config_(config), kv_(kv), parts_(parts), clock_(clock) {}
  absl::Status OpenAt(const std::string& address)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const DataDir data_;
  const AgentConfig& config_;
  KeyValue& kv_;
  const ApiParts& parts_;
  const Clock& clock_;
  mutable Mutex mutex_;  // also while the port is opened anew
  std::unique_ptr<SystemsPort> port_ ABSL_GUARDED_BY(mutex_);
  absl::Time end_ ABSL_GUARDED_BY(mutex_);
  bool is_shut_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Loop> loop_;  // last: it calls Keep
};

}  // namespace amparo::agent

#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "broker/daemon/config.h"
#include "broker/daemon/data_dir.h"

namespace amparo::broker {

// A whole running broker: store, core, ports. Serves from Start to Drain or
// destruction. One thread at a time.
class Broker {
 public:
  // Opens the store, proves that it still is the log that was shown, and
  // listens. When OK, everything serves and DATA/listen.json says where.
  // DATA_LOSS when the guard refuses; UNAVAILABLE when a port or the store is
  // in another's hands. `clock` must outlive it. Call AllowOnlyTls13 before.
  static absl::StatusOr<std::unique_ptr<Broker>> Start(
      const DataDir& data, const BrokerConfig& config, const Clock& clock);
  ~Broker();

  // host:port on which this machine reaches the two ports.
  std::string members_address() const;
  std::string enrol_address() const;

  // Tells health checks, ends the streams with UNAVAILABLE, lets calls end for
  // at most `grace`, and signs what was logged. Serves nothing afterwards.
  void Drain(absl::Duration grace);

 private:
  struct Parts;
  explicit Broker(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace amparo::broker

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/event_log.h"
#include "proto/network/host_port.h"

namespace amparo::broker {

// A witness that is no member: the name of its key, and the address before
// /add-checkpoint.
struct OutsideAddress {
  std::string name;
  std::string url;
};

// broker.toml, checked. Port 0 lets the kernel choose.
struct BrokerConfig {
  std::string network;  // a name, [a-z][a-z0-9-]{0,31}
  struct Ports {
    std::string members;  // host:port
    std::string enrol;
  };
  Ports listen;
  Ports announced;  // "public": what invitations and certificates say
  size_t envelope_bytes_max = 0;
  uint64_t mailbox_messages_max = 0;
  uint32_t member_rate_per_s = 0;
  uint32_t member_streams_max = 0;
  absl::Duration message_life;
  absl::Duration opening_life;
  absl::Duration checkpoint_interval;
  std::string log_http_listen;  // host:port; empty: not over HTTP
  std::vector<OutsideAddress> outside_witnesses;
  std::string witness_ca_file;  // PEM; empty: the system's certificates
  absl::Duration invitation_life;
  std::string metrics_listen;  // host:port; empty: no metrics
  EventLevel journal_level = EventLevel::kInfo;
};

// `name` stands in error messages. INVALID_ARGUMENT, code "config", with the
// key as field; an unknown key is an error.
absl::StatusOr<BrokerConfig> ParseBrokerConfig(absl::string_view text,
                                               const std::string& name);

// What init writes: every key with its default and a comment.
std::string WriteBrokerConfig(absl::string_view network,
                              const BrokerConfig::Ports& listen,
                              const BrokerConfig::Ports& announced);

// What `run --check-config` prints: every key with the value in effect.
std::string DescribeBrokerConfig(const BrokerConfig& config);

}  // namespace amparo::broker

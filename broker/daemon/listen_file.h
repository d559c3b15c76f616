#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/daemon/config.h"

namespace amparo::broker {

// DATA/listen.json: where the broker that runs, or ran last, listens. Scripts
// read it; the broker takes ports that were left to the kernel from it again.
struct ListenFile {
  int64_t pid = 0;
  BrokerConfig::Ports listen;     // with the ports in use
  BrokerConfig::Ports announced;  // the same, for others
  std::string metrics;            // empty: none
  std::string log_http;           // the same
};
std::string FormatListenFile(const ListenFile& file);  // schema broker_listen/1
absl::StatusOr<ListenFile> ParseListenFile(absl::string_view text);

}  // namespace amparo::broker

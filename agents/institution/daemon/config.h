#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/event_log.h"
#include "proto/network/member.h"

namespace amparo::agent {

// How the keystore's passphrase comes to the agent.
enum class Unlock { kPrompt, kKeyFile, kCredential };

// agent.toml, checked.
struct AgentConfig {
  MemberId member;
  std::string network;
  std::string broker_address;  // host:port of the members' port
  absl::Duration keepalive;
  std::string api_socket;      // path; relative to the data directory
  std::string tls_listen;      // host:port for IT systems; empty: off
  std::vector<std::string> tls_names;  // further names of that port
  Unlock unlock = Unlock::kPrompt;
  std::string key_file;  // for kKeyFile; relative to the data directory
  absl::Duration prekey_interval;
  absl::Duration retry_first;
  absl::Duration retry_max;
  size_t envelopes_max = 0;  // in the outbox
  absl::Duration inclusion_alarm;
  bool witness = true;  // cosigns the log, if the charter names its key
  bool mirror = true;   // keeps what opens its own entries of the log
  EventLevel journal_level = EventLevel::kInfo;
};

// `name` stands in error messages. INVALID_ARGUMENT, code "config", with the
// key as field; an unknown key is an error.
absl::StatusOr<AgentConfig> ParseAgentConfig(absl::string_view text,
                                             const std::string& name);

// What join writes: every key with its default and a comment.
struct NewAgent {
  MemberId member;
  std::string network;
  std::string broker_address;
  std::string api_socket;
  Unlock unlock = Unlock::kPrompt;
  std::string key_file;
};
std::string WriteAgentConfig(const NewAgent& agent);

}  // namespace amparo::agent

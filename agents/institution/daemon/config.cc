#include "agents/institution/daemon/config.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "base/config.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/x509.h"
#include "proto/network/host_port.h"

namespace amparo::agent {
namespace {

constexpr char kTemplate[] = R"(# Configuration of this institution's agent. Checked by: amparo-agent run
# --check-config. A key that is not listed here is an error. Numbers carry their
# unit at the end of the key. Relative paths start at this file's directory.

member = "$0"    # this institution, as the charter names it
network = "$1"   # the network's name

[broker]
address = "$2"    # members' port, host:port
keepalive_s = 20  # how often an idle connection says that it is there

[api]
socket = "$3"     # for officers on this machine; 107 bytes at most
tls_listen = ""   # for IT systems with a certificate, host:port; "" = off
tls_names = []    # other names by which they reach it, for its certificate

[keystore]
unlock = "$4"     # prompt, key_file or credential (systemd, "amparo-keystore")
key_file = "$5"   # holds the passphrase, mode 0600, for unlock = "key_file"

[keys]
prekey_interval_h = 24  # a new key to receive under, this often

[outbox]
retry_first_ms = 1000   # after a failure; doubles up to retry_max_ms
retry_max_ms = 300000
envelopes_max = 100000  # waiting to be sent; then officers send nothing more

[log]
inclusion_alarm_s = 60  # an event not proven in the log by then is an alarm
witness = true          # cosign the log, if the charter names this member's key
mirror = true           # keep what opens our own entries: see export-mirror

[journal]
level = "info"  # info, warning or error; JSON lines on standard error
)";

constexpr std::pair<Unlock, const char*> kUnlocks[] = {
    {Unlock::kPrompt, "prompt"},
    {Unlock::kKeyFile, "key_file"},
    {Unlock::kCredential, "credential"},
};

constexpr std::pair<EventLevel, const char*> kLevels[] = {
    {EventLevel::kInfo, "info"},
    {EventLevel::kWarning, "warning"},
    {EventLevel::kError, "error"},
};

absl::Status Wrong(absl::string_view name, absl::string_view field,
                   absl::string_view expected) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat(name, ": ", field, " is not right"),
                   {.code = "config",
                    .field = std::string(field),
                    .expected = std::string(expected)});
}

// The value that `value_text` stands for.
template <typename T, size_t N>
absl::StatusOr<T> Choice(const std::pair<T, const char*> (&choices)[N],
                         absl::string_view value_text, absl::string_view file,
                         absl::string_view field) {
  std::string expected;
  for (const auto& [value, text] : choices) {
    if (value_text == text) return value;
    absl::StrAppend(&expected, expected.empty() ? "" : ", ", text);
  }
  return Wrong(file, field, expected);
}

absl::Status CheckTlsPort(const std::string& file, const std::string& listen,
                          const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (!CheckHost(name).ok())
      return Wrong(file, "api.tls_names", "a list of DNS names and IP addresses");
  if (listen.empty()) return absl::OkStatus();
  const auto address = ParseHostPort(listen);
  if (address.ok() && CheckHost(address->host).ok()) return absl::OkStatus();
  return Wrong(file, "api.tls_listen", "host:port of this machine, or nothing");
}

}  // namespace

absl::StatusOr<AgentConfig> ParseAgentConfig(absl::string_view text,
                                             const std::string& name) {
  ASSIGN_OR_RETURN(Config config, Config::Parse(text, name));
  const std::string member_text = config.String("member", "");
  const std::string network = config.String("network", "");
  const std::string address = config.String("broker.address", "");
  const int64_t keepalive_s = config.Int("broker.keepalive_s", 20, 10, 3600);
  const std::string socket = config.String("api.socket", "agent.sock");
  const std::string tls_listen = config.String("api.tls_listen", "");
  const std::vector<std::string> tls_names = config.Strings("api.tls_names");
  const std::string unlock_text = config.String("keystore.unlock", "prompt");
  const std::string key_file = config.String("keystore.key_file", "");
  const int64_t prekey_h = config.Int("keys.prekey_interval_h", 24, 1, 144);
  const int64_t first_ms = config.Int("outbox.retry_first_ms", 1000, 10, 3600000);
  const int64_t max_ms = config.Int("outbox.retry_max_ms", 300000, 10, 86400000);
  const int64_t envelopes = config.Int("outbox.envelopes_max", 100000, 1, 10000000);
  const int64_t inclusion_s = config.Int("log.inclusion_alarm_s", 60, 1, 86400);
  const bool witness = config.Bool("log.witness", true);
  const bool mirror = config.Bool("log.mirror", true);
  const std::string level_text = config.String("journal.level", "info");
  RETURN_IF_ERROR(config.Finish());

  const auto member = MemberId::Parse(member_text);
  if (!member.ok()) return Wrong(name, "member", "[a-z][a-z0-9-]{0,31}");
  RETURN_IF_ERROR(CheckTlsPort(name, tls_listen, tls_names));
  if (address.empty()) return Wrong(name, "broker.address", "host:port");
  if (first_ms > max_ms)
    return Wrong(name, "outbox.retry_max_ms", "retry_first_ms or more");
  ASSIGN_OR_RETURN(const Unlock unlock,
                   Choice(kUnlocks, unlock_text, name, "keystore.unlock"));
  if (unlock == Unlock::kKeyFile && key_file.empty())
    return Wrong(name, "keystore.key_file", "a path, since unlock is key_file");
  ASSIGN_OR_RETURN(const EventLevel level,
                   Choice(kLevels, level_text, name, "journal.level"));
  return AgentConfig{.member = *member,
                     .network = network,
                     .broker_address = address,
                     .keepalive = absl::Seconds(keepalive_s),
                     .api_socket = socket,
                     .tls_listen = tls_listen,
                     .tls_names = tls_names,
                     .unlock = unlock,
                     .key_file = key_file,
                     .prekey_interval = absl::Hours(prekey_h),
                     .retry_first = absl::Milliseconds(first_ms),
                     .retry_max = absl::Milliseconds(max_ms),
                     .envelopes_max = static_cast<size_t>(envelopes),
                     .inclusion_alarm = absl::Seconds(inclusion_s),
                     .witness = witness,
                     .mirror = mirror,
                     .journal_level = level};
}

std::string WriteAgentConfig(const NewAgent& agent) {
  const char* unlock = "prompt";
  for (const auto& [value, text] : kUnlocks)
    if (value == agent.unlock) unlock = text;
  return absl::Substitute(kTemplate, agent.member.text(), agent.network,
                          agent.broker_address, agent.api_socket, unlock,
                          agent.key_file);
}

}  // namespace amparo::agent

#include "broker/daemon/config.h"

#include <cctype>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/config.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/network/member.h"

namespace amparo::broker {
namespace {

// The file, once: init fills in the four addresses and the name; the defaults
// below are the same numbers.
constexpr char kTemplate[] =
    R"(# Configuration of amparo-broker. One data directory is one network. Check a
# change with: amparo-broker run --data DIR --check-config
# Read again on SIGHUP: journal.level. Everything else needs a restart.

# Name of the network and origin of its log; never changes.
network = "@NETWORK@"

# Storage engine. "rocksdb" keeps everything in DATA/store.
store = "rocksdb"

[listen]
# The members' port: TLS 1.3, only with a certificate of this network.
# Port 0: the kernel chooses, and the choice is kept in DATA/listen.json.
members = "@LISTEN_MEMBERS@"
# The enrolment port (join, charter): TLS 1.3, clients need no certificate.
enrol = "@LISTEN_ENROL@"

[public]
# The same two ports as others reach them: invitations and certificates say
# these. Port 0: the port that is listened on.
members = "@PUBLIC_MEMBERS@"
enrol = "@PUBLIC_ENROL@"

[limits]
# Largest envelope taken, in bytes, header and signature included.
envelope_bytes_max = 1179648
# Envelopes that may wait for one member, of one sender a quarter of them; more
# are refused.
mailbox_messages_max = 100000
# Calls a second of one member, over a burst of as many; readings of the log
# are counted apart.
member_rate_per_s = 500
# Subscriptions of one member at a time.
member_streams_max = 8

[retention]
# Days after which receipts, recalls and expiries leave a mailbox unread.
# Envelopes leave it when they are delivered, recalled or expired.
message_d = 14
# Days for which the broker keeps the openings of log entries.
opening_d = 3650

[log]
# How often a new checkpoint is signed while the log grows.
checkpoint_interval_ms = 1000
# The part of the log that is for everybody (checkpoint, tiles, charters) over
# HTTP in the clear, read-only, for anybody who reaches this address; "" for
# not. See docs/OPERATIONS.md, The log over HTTP, before you open it.
http_listen = ""

[witness]
# Witnesses that are no members, as "NAME URL": the name of the key in the charter
# (witness.keys) and where it takes add-checkpoint, such as
# "audit.example/witness https://audit.example/amparo". Each is asked while a
# charter names it. See docs/OPERATIONS.md, Witnesses from outside.
outside = []
# Certificates to trust for https, a PEM file, instead of the system's; "" for
# those.
ca_file = ""

[invitations]
# Hours for which an invitation can be used.
life_h = 72

[metrics]
# Prometheus metrics, on a loopback address only; "" for none. The address in
# use stands in DATA/metrics.addr.
listen = "127.0.0.1:0"

[journal]
# Lines to write to standard error: "info", "warning" or "error".
level = "info"
# "json": one JSON object a line.
format = "json"
)";

constexpr size_t kUrlBytesMax = 512;
constexpr size_t kOutsidersMax = 16;

absl::Status Wrong(const char* key, absl::string_view message,
                   absl::string_view expected) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, absl::StrCat(key, " ", message),
      {.code = "config", .field = key, .expected = std::string(expected)});
}

absl::Status CheckAddress(const char* key, const std::string& text) {
  if (ParseHostPort(text).ok()) return absl::OkStatus();
  return Wrong(key, "is not an address", "host:port");
}

absl::Status CheckLoopback(const std::string& text) {
  const auto address = ParseHostPort(text);
  if (address.ok() && (address->host == "::1" || address->host == "localhost" ||
                       address->host.rfind("127.", 0) == 0))
    return absl::OkStatus();
  return Wrong("metrics.listen", "is not a loopback address",
               "127.0.0.1:port, or empty");
}

absl::StatusOr<EventLevel> ParseLevel(const std::string& text) {
  if (text == "info") return EventLevel::kInfo;
  if (text == "warning") return EventLevel::kWarning;
  if (text == "error") return EventLevel::kError;
  return Wrong("journal.level", "is not a level", "info, warning or error");
}

const char* NameOf(EventLevel level) {
  return level == EventLevel::kInfo      ? "info"
         : level == EventLevel::kWarning ? "warning"
                                         : "error";
}

// "NAME URL", the URL without what a request adds to it.
absl::StatusOr<OutsideAddress> ParseOutside(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(' ', 1));
  absl::string_view rest = parts.second;
  const bool has_scheme = absl::ConsumePrefix(&rest, "https://") ||
                          absl::ConsumePrefix(&rest, "http://");
  const bool is_plain =
      rest.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
          "XYZ0123456789.:-_~%/[]") == absl::string_view::npos;
  if (parts.first.empty() || !has_scheme || rest.empty() || rest[0] == '/' ||
      !is_plain || parts.second.size() > kUrlBytesMax)
    return Wrong("witness.outside", "has an entry that is no witness",
                 "NAME http://... or NAME https://..., without user, query and "
                 "fragment");
  return OutsideAddress{std::string(parts.first),
                        std::string(absl::StripSuffix(parts.second, "/"))};
}

absl::StatusOr<std::vector<OutsideAddress>> ParseOutsiders(
    const std::vector<std::string>& texts) {
  std::vector<OutsideAddress> all;
  std::set<std::string> names;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(OutsideAddress one, ParseOutside(text));
    if (!names.insert(one.name).second)
      return Wrong("witness.outside", "names a witness twice", "one address");
    all.push_back(std::move(one));
  }
  if (all.size() > kOutsidersMax)
    return Wrong("witness.outside", "names too many", "16 witnesses");
  return all;
}

}  // namespace

absl::StatusOr<BrokerConfig> ParseBrokerConfig(absl::string_view text,
                                               const std::string& name) {
  ASSIGN_OR_RETURN(Config file, Config::Parse(text, name));
  BrokerConfig config;
  config.network = file.String("network", "");
  const std::string store = file.String("store", "rocksdb");
  config.listen = {file.String("listen.members", "0.0.0.0:7443"),
                   file.String("listen.enrol", "0.0.0.0:7444")};
  config.announced = {file.String("public.members", ""),
                      file.String("public.enrol", "")};
  config.envelope_bytes_max = static_cast<size_t>(file.Int(
      "limits.envelope_bytes_max", kEnvelopeBytesMax, 4096, kEnvelopeBytesMax));
  config.mailbox_messages_max = static_cast<uint64_t>(
      file.Int("limits.mailbox_messages_max", 100'000, 1, 100'000'000));
  config.member_rate_per_s = static_cast<uint32_t>(
      file.Int("limits.member_rate_per_s", 500, 1, 1'000'000));
  config.member_streams_max =
      static_cast<uint32_t>(file.Int("limits.member_streams_max", 8, 1, 1'000));
  const auto days = [&file](const char* key, int64_t fallback, int64_t max) {
    return absl::Hours(24) * file.Int(key, fallback, 1, max);
  };
  config.message_life = days("retention.message_d", 14, 3650);
  config.opening_life = days("retention.opening_d", 3650, 36500);
  config.checkpoint_interval = absl::Milliseconds(
      file.Int("log.checkpoint_interval_ms", 1000, 10, 3'600'000));
  config.log_http_listen = file.String("log.http_listen", "");
  const std::vector<std::string> outside = file.Strings("witness.outside");
  config.witness_ca_file = file.String("witness.ca_file", "");
  config.invitation_life =
      absl::Hours(file.Int("invitations.life_h", 72, 1, 24 * 365));
  config.metrics_listen = file.String("metrics.listen", "127.0.0.1:0");
  const std::string level = file.String("journal.level", "info");
  const std::string format = file.String("journal.format", "json");
  RETURN_IF_ERROR(file.Finish());

  if (!NetworkName::Parse(config.network).ok())
    return Wrong("network", "is not a name", "[a-z][a-z0-9-]{0,31}");
  if (store != "rocksdb")
    return Wrong("store", "is not an engine of this program", "rocksdb");
  RETURN_IF_ERROR(CheckAddress("listen.members", config.listen.members));
  RETURN_IF_ERROR(CheckAddress("listen.enrol", config.listen.enrol));
  RETURN_IF_ERROR(CheckAddress("public.members", config.announced.members));
  RETURN_IF_ERROR(CheckAddress("public.enrol", config.announced.enrol));
  if (!config.log_http_listen.empty())
    RETURN_IF_ERROR(CheckAddress("log.http_listen", config.log_http_listen));
  ASSIGN_OR_RETURN(config.outside_witnesses, ParseOutsiders(outside));
  if (!config.witness_ca_file.empty() && !FileExists(config.witness_ca_file))
    return Wrong("witness.ca_file", "is not there", "a PEM file");
  if (!config.metrics_listen.empty())
    RETURN_IF_ERROR(CheckLoopback(config.metrics_listen));
  ASSIGN_OR_RETURN(config.journal_level, ParseLevel(level));
  if (format != "json")
    return Wrong("journal.format", "is not a format of this program", "json");
  return config;
}

std::string WriteBrokerConfig(absl::string_view network,
                              const BrokerConfig::Ports& listen,
                              const BrokerConfig::Ports& announced) {
  return absl::StrReplaceAll(kTemplate,
                             {{"@NETWORK@", network},
                              {"@LISTEN_MEMBERS@", listen.members},
                              {"@LISTEN_ENROL@", listen.enrol},
                              {"@PUBLIC_MEMBERS@", announced.members},
                              {"@PUBLIC_ENROL@", announced.enrol}});
}

std::string DescribeBrokerConfig(const BrokerConfig& config) {
  const auto days = [](absl::Duration duration) {
    return absl::ToInt64Hours(duration) / 24;
  };
  Json json;
  json["schema"] = "broker_config/1";
  json["network"] = config.network;
  json["store"] = "rocksdb";
  json["listen"] = {{"members", config.listen.members},
                    {"enrol", config.listen.enrol}};
  json["public"] = {{"members", config.announced.members},
                    {"enrol", config.announced.enrol}};
  json["limits"] = {{"envelope_bytes_max", config.envelope_bytes_max},
                    {"mailbox_messages_max", config.mailbox_messages_max},
                    {"member_rate_per_s", config.member_rate_per_s},
                    {"member_streams_max", config.member_streams_max}};
  json["retention"] = {{"message_d", days(config.message_life)},
                       {"opening_d", days(config.opening_life)}};
  json["log"] = {{"checkpoint_interval_ms",
                  absl::ToInt64Milliseconds(config.checkpoint_interval)},
                 {"http_listen", config.log_http_listen}};
  Json outside = Json::array();
  for (const OutsideAddress& one : config.outside_witnesses)
    outside.push_back(absl::StrCat(one.name, " ", one.url));
  json["witness"] = {{"outside", outside}, {"ca_file", config.witness_ca_file}};
  json["invitations"] = {
      {"life_h", absl::ToInt64Hours(config.invitation_life)}};
  json["metrics"] = {{"listen", config.metrics_listen}};
  json["journal"] = {{"level", NameOf(config.journal_level)},
                     {"format", "json"}};
  return DumpJson(json);
}

}  // namespace amparo::broker

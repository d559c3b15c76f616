#include "agents/institution/daemon/key_commands.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agents/institution/daemon/running_agent.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/envelope/ids.h"

namespace amparo::agent {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(200);
constexpr char kDigestPrefix[] = "sha256:";
// Of a key id's digits: enough to tell any two apart.
constexpr size_t kPrefixMin = 8;

Json Time(uint64_t unix_s) {
  if (unix_s == 0) return nullptr;
  return FormatUtc(TimeFromUnix(static_cast<int64_t>(unix_s)));
}

Json ToJson(const v1::SigningKeyView& key) {
  return {{"kid", key.kid()},
          {"leaf", key.leaf()},
          {"logged_at", Time(key.logged_at_s())},
          {"until", Time(key.until_s())},
          {"in_force", key.in_force()},
          {"revoked_leaf", key.revoked() ? Json(key.revoked_leaf()) : Json()},
          {"own", key.own()},
          {"vouched_by",
           key.vouched_by().empty() ? Json() : Json(key.vouched_by())}};
}

std::string OrderJson(const char* schema, const v1::KeyOrderView& order) {
  Json result;
  result["schema"] = schema;
  result["revoked"] = order.has_revoked() ? ToJson(order.revoked()) : Json();
  result["signing"] = order.has_signing() ? ToJson(order.signing()) : Json();
  result["prekey"] = Json();
  if (order.prekey_until_s() != 0)
    result["prekey"] = {{"leaf", order.prekey_leaf()},
                        {"until", Time(order.prekey_until_s())}};
  result["key_words"] = order.key_words();
  result["trusted_from"] = Time(order.trusted_from_s());
  result["words_needed"] = order.words_needed();
  return DumpJson(result) + "\n";
}

std::string OrderText(const v1::KeyOrderView& order) {
  std::string text;
  if (order.has_revoked())
    absl::StrAppend(&text, "revoked    ", order.revoked().kid(), "\n",
                    "           leaf ", order.revoked().revoked_leaf(),
                    " of the log; what is signed with it later counts for "
                    "nobody\n");
  absl::StrAppend(
      &text, "signs now  ", order.signing().kid(), "\n", "           leaf ",
      order.signing().leaf(), ", until ",
      FormatUtc(TimeFromUnix(static_cast<int64_t>(order.signing().until_s()))),
      "\n");
  if (order.prekey_until_s() != 0)
    absl::StrAppend(&text, "receives under a new key, leaf ",
                    order.prekey_leaf(), "\n");
  absl::StrAppend(&text, "key words  ", order.key_words(), "\n");
  if (order.words_needed())
    absl::StrAppend(
        &text,
        "\nNobody vouches for the new key. The other members neither send to "
        "you "
        "nor\ntake in what you send until they compared these words with you. "
        "Call them.\n");
  else if (order.trusted_from_s() != 0)
    absl::StrAppend(
        &text,
        "\nNobody vouches for the new key. The other members trust it from ",
        FormatUtc(TimeFromUnix(static_cast<int64_t>(order.trusted_from_s()))),
        "\non, or as soon as they compared these words with you by phone.\n");
  return text;
}

absl::Status NotDoneYet(const v1::KeyOrderView& order) {
  const std::string kept =
      "the order is kept and carried out by itself; the same command waits "
      "again";
  if (order.waits_for() == "broker")
    return MakeError(
        absl::StatusCode::kUnavailable,
        "the broker does not answer, nothing is in the log yet",
        {.code = "broker_unreachable", .hint = kept, .retryable = true});
  const std::string why =
      order.waits_for() == "clock" ? "this machine's clock is wrong"
      : order.waits_for() == "member"
          ? "the charter does not name this member as active"
          : "the log does not show all of it yet";
  return MakeError(absl::StatusCode::kDeadlineExceeded, why,
                   {.code = "timed_out", .hint = kept, .retryable = true});
}

using Ask =
    std::function<absl::StatusOr<v1::KeyOrderView>(const std::string& id)>;

absl::StatusOr<v1::KeyOrderView> WaitUntilDone(const Ask& ask,
                                               absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  std::string id = EventId::New().text();
  while (true) {
    ASSIGN_OR_RETURN(v1::KeyOrderView order, ask(id));
    if (order.done()) return order;
    if (absl::Now() >= end) return NotDoneYet(order);
    id = order.request_id();  // perhaps one that waited already
    absl::SleepFor(kPoll);
  }
}

// A whole key id from the beginning of one.
absl::StatusOr<std::string> FindKid(const RunningAgent& agent,
                                    absl::string_view asked) {
  if (asked.empty() || asked == "current") return std::string();
  const absl::string_view digits = absl::StartsWith(asked, kDigestPrefix)
                                       ? asked.substr(sizeof kDigestPrefix - 1)
                                       : asked;
  const auto wrong = [](absl::StatusCode code, const char* name,
                        const char* what) {
    return MakeError(code, what,
                     {.code = name,
                      .field = "KID",
                      .expected = "current, or a key id (8 digits will do)",
                      .hint = "amparo-agent keys --data DIR lists them"});
  };
  if (digits.size() < kPrefixMin)
    return wrong(absl::StatusCode::kInvalidArgument, "usage",
                 "this is no key id");
  ASSIGN_OR_RETURN(const v1::ListKeysResponse list, agent.ListKeys());
  std::string found;
  for (const v1::SigningKeyView& key : list.keys()) {
    if (!absl::StartsWith(key.kid(), absl::StrCat(kDigestPrefix, digits)))
      continue;
    if (!found.empty())
      return wrong(absl::StatusCode::kInvalidArgument, "ambiguous_id",
                   "several keys begin like this");
    found = key.kid();
  }
  if (found.empty())
    return wrong(absl::StatusCode::kNotFound, "not_found",
                 "this member never had such a signing key");
  return found;
}

absl::StatusOr<RunningAgent> Connect(const DataDir& data,
                                     const KeyCommand& asked) {
  ASSIGN_OR_RETURN(const AgentConfig config, data.ReadConfig());
  return RunningAgent::At(data, config, asked.officer);
}

}  // namespace

absl::StatusOr<std::string> ShowKeys(const DataDir& data,
                                     const KeyCommand& asked) {
  ASSIGN_OR_RETURN(const RunningAgent agent, Connect(data, asked));
  ASSIGN_OR_RETURN(const v1::ListKeysResponse list, agent.ListKeys());
  if (asked.json) {
    Json result;
    result["schema"] = "keys/1";
    result["keys"] = Json::array();
    for (const v1::SigningKeyView& key : list.keys())
      result["keys"].push_back(ToJson(key));
    result["key_words"] = list.key_words();
    return DumpJson(result) + "\n";
  }
  // What this store made begins there: before it was another, of which a backup
  // is left.
  uint64_t first_own = std::numeric_limits<uint64_t>::max();
  for (const v1::SigningKeyView& key : list.keys())
    if (key.own()) first_own = std::min<uint64_t>(first_own, key.leaf());
  std::string text;
  for (const v1::SigningKeyView& key : list.keys())
    absl::StrAppend(
        &text, key.kid(), "\n    leaf ", key.leaf(), ", until ",
        FormatUtc(TimeFromUnix(static_cast<int64_t>(key.until_s()))),
        key.revoked() ? absl::StrCat(", revoked at leaf ", key.revoked_leaf())
                      : "",
        key.in_force() ? ", signs now" : "",
        key.own()                ? ""
        : key.leaf() < first_own ? ", of before the restore"
                                 : ", NOT MADE BY THIS AGENT",
        "\n");
  return absl::StrCat(text, "key words: ", list.key_words(), "\n");
}

absl::StatusOr<std::string> RotateKeys(const DataDir& data,
                                       const KeyCommand& asked) {
  ASSIGN_OR_RETURN(const RunningAgent agent, Connect(data, asked));
  ASSIGN_OR_RETURN(
      const v1::KeyOrderView order,
      WaitUntilDone([&](const std::string& id) { return agent.RotateKeys(id); },
                    asked.timeout));
  return asked.json ? OrderJson("rotate_keys/1", order) : OrderText(order);
}

absl::StatusOr<std::string> RevokeKey(const DataDir& data,
                                      const KeyCommand& asked) {
  ASSIGN_OR_RETURN(const RunningAgent agent, Connect(data, asked));
  ASSIGN_OR_RETURN(const std::string kid, FindKid(agent, asked.kid));
  ASSIGN_OR_RETURN(
      const v1::KeyOrderView order,
      WaitUntilDone(
          [&](const std::string& id) { return agent.RevokeKey(kid, id); },
          asked.timeout));
  return asked.json ? OrderJson("revoke_key/1", order) : OrderText(order);
}

}  // namespace amparo::agent

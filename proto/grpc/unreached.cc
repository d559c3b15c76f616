#include "proto/grpc/unreached.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace amparo {

Unreached WhyUnreached(absl::string_view told) {
  const auto has = [&](absl::string_view text) {
    return absl::StrContains(told, text);
  };
  if (has("certificate verify failed") || has("not in peer certificate"))
    return Unreached::kForeignCertificate;
  if (has("DNS resolution failed") || has("Name or service not known"))
    return Unreached::kNoSuchName;
  if (has("Connection refused")) return Unreached::kNobodyListens;
  if (has("andshake")) return Unreached::kNoTls13;
  return Unreached::kSilence;
}

absl::Status UnreachedError(Unreached why, absl::string_view port) {
  const auto away = [&](absl::string_view message, const char* hint) {
    return MakeError(
        absl::StatusCode::kUnavailable, message,
        {.code = "broker_unreachable", .hint = hint, .retryable = true});
  };
  switch (why) {
    case Unreached::kForeignCertificate:
      return MakeError(
          absl::StatusCode::kPermissionDenied,
          absl::StrCat("who answers at the ", port,
                       " is not this network's broker"),
          {.code = "wrong_pin",
           .hint = "something in between that opens TLS (a proxy, a filter), "
                   "another broker's address, or the network has a new CA: a "
                   "new invitation, or a new network.json, names it"});
    case Unreached::kNoSuchName:
      return away(
          absl::StrCat("the name of the broker's ", port, " does not resolve"),
          "check the name and this machine's DNS");
    case Unreached::kNobodyListens:
      return away(absl::StrCat("nobody listens at the broker's ", port),
                  "is the broker up, is that its port");
    case Unreached::kNoTls13:
      return away(
          absl::StrCat("what answers at the ", port, " does not speak TLS 1.3"),
          "something in between (a proxy, a filter), or another port");
    case Unreached::kSilence:
      break;
  }
  return away(absl::StrCat("the broker's ", port, " does not answer"),
              "check address, port and the network in between");
}

}  // namespace amparo

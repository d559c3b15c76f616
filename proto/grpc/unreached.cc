#include "proto/grpc/unreached.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/error.h"
#include "proto/grpc/road.h"
#include "proto/grpc/tls_look.h"
#include "proto/network/host_port.h"

namespace amparo {
namespace {

const char* NameOf(Way::Port port) {
  return port == Way::Port::kEnrolment ? "enrolment port" : "members' port";
}

absl::Status Away(absl::string_view message, absl::string_view hint) {
  return MakeError(absl::StatusCode::kUnavailable, message,
                   {.code = "broker_unreachable",
                    .hint = std::string(hint),
                    .retryable = true});
}

absl::Status WrongPin(absl::string_view message, const char* hint) {
  return MakeError(absl::StatusCode::kPermissionDenied, message,
                   {.code = "wrong_pin", .hint = hint});
}

std::string HostOf(const std::string& address) {
  const auto parts = ParseHostPort(address);
  return parts.ok() ? parts->host : address;
}

// What the proxy did, or that nobody comes as far as the proxy.
absl::Status ExplainProxy(const Way& way, const Road& road) {
  const Proxy& proxy = *road.proxy;
  const std::string who =
      absl::StrCat("the proxy ", proxy.address, " (", proxy.variable, ")");
  const std::string around =
      absl::StrCat("; or go without it: no_proxy=", HostOf(way.address));
  switch (road.end) {
    case Road::End::kProxyRefuses:
      return Away(absl::StrCat(who, " does not let through to ", way.address,
                               ": HTTP ", road.http_status),
                  absl::StrCat(road.http_status == 407
                                   ? "it wants a user and a password "
                                     "(http://user:password@...)"
                                   : "ask who runs it to let CONNECT to this "
                                     "address through",
                               around));
    case Road::End::kNoProxy:
      return Away(absl::StrCat(who, " does not answer as an HTTP proxy does"),
                  absl::StrCat("check ", proxy.variable, around));
    case Road::End::kNoSuchName:
      return Away(absl::StrCat("the name of ", who, " does not resolve"),
                  absl::StrCat("check ", proxy.variable, around));
    case Road::End::kNobodyListens:
      return Away(absl::StrCat("nobody listens at ", who),
                  absl::StrCat("check ", proxy.variable, around));
    default:
      return Away(absl::StrCat(who, " is not reached"),
                  absl::StrCat("check ", proxy.variable, around));
  }
}

absl::Status ExplainRoad(const Way& way, const Road& road) {
  if (road.proxy) return ExplainProxy(way, road);
  const std::string port =
      absl::StrCat("the broker's ", NameOf(way.port), ", ", way.address);
  // Where the only way out is a proxy, it looks like one of these.
  const std::string unused = UnusedProxy(HostOf(way.address));
  const auto away = [&](const std::string& message, absl::string_view hint) {
    return Away(message,
                absl::StrCat(hint, unused.empty() ? "" : "; ", unused));
  };
  switch (road.end) {
    case Road::End::kBadAddress:
      return Away(absl::StrCat(port, ", is no address"), "host:port");
    case Road::End::kNoSuchName:
      return away(absl::StrCat("the name of ", port, ", does not resolve"),
                  "check the name and this machine's DNS");
    case Road::End::kNobodyListens:
      return away(absl::StrCat("nobody listens at ", port),
                  "is the broker up, is that its port");
    case Road::End::kNoRoute:
      return away(absl::StrCat("this machine knows no way to ", port),
                  "check its network, its routes and its firewall");
    default:
      return away(absl::StrCat(port, ", does not answer"),
                  "check the address, and firewalls in between: they drop "
                  "what they do not let through");
  }
}

// A clock is in the way, and nothing else. Who shows a certificate that ended
// may have found its key: asked for the time, it would name one at which that
// certificate holds.
absl::Status ExplainTime(
    const Way& way, const ChainVerdict& chain, absl::Time now,
    const std::function<absl::StatusOr<absl::Time>()>& broker_time) {
  const bool is_early = chain.fault == ChainFault::kTooEarly;
  const std::string of_whom =
      absl::StrCat("the certificate of the broker's ", NameOf(way.port), ", ",
                   way.address, ", ");
  const std::string what =
      is_early ? absl::StrCat(of_whom, "begins at ", FormatUtc(chain.from))
               : absl::StrCat(of_whom, "ended at ", FormatUtc(chain.until));
  const absl::StatusOr<absl::Time> there =
      broker_time && is_early ? broker_time()
                              : absl::UnavailableError("nobody to ask");
  if (there.ok()) {
    const absl::Status clock = CheckClock(*there, now);
    if (!clock.ok()) return clock;
    return MakeError(absl::StatusCode::kUnavailable,
                     absl::StrCat(what, ", though the clocks agree"),
                     {.code = "broker_unreachable",
                      .hint = "the broker's operator restarts it: every start "
                              "makes a new one"});
  }
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("this machine's clock says ", FormatUtc(now), ", but ",
                   what),
      {.code = "config",
       .hint = is_early ? "set the clock (this machine's, or the broker's if "
                          "that one is wrong), then try again"
                        : "compare this machine's clock with a third one, "
                          "not with the broker's; if it is right, the "
                          "broker's operator restarts the broker: every start "
                          "makes a new certificate"});
}

// The other port of the broker answers: it asks clients for what the right one
// does not, or the other way round.
absl::Status ExplainOtherPort(const Way& way) {
  const bool wanted_enrolment = way.port == Way::Port::kEnrolment;
  return MakeError(
      absl::StatusCode::kUnavailable,
      absl::StrCat("at ", way.address, " the broker's ",
                   NameOf(wanted_enrolment ? Way::Port::kMembers
                                           : Way::Port::kEnrolment),
                   " answers, not its ", NameOf(way.port)),
      {.code = "broker_unreachable",
       .hint = wanted_enrolment
                   ? "the broker's operator sets public.enrol in broker.toml "
                     "right, and invites anew"
                   : "the address of the broker in this configuration is "
                     "wrong; the broker's operator knows the right one"});
}

absl::Status ExplainChain(
    const Way& way, const TlsLook& look, absl::Time now,
    const std::function<absl::StatusOr<absl::Time>()>& broker_time) {
  if (look.chain.fault == ChainFault::kForeign)
    return WrongPin(
        absl::StrCat("who answers at ", way.address,
                     " is not this network's broker"),
        "something in between that opens TLS (a proxy, a filter), another "
        "broker's address, or the network has a new CA: a new invitation, or a "
        "new network.json, names it");
  if (look.chain.fault == ChainFault::kOtherHost)
    return WrongPin(
        absl::StrCat("the certificate of who answers at ", way.address,
                     " is the network's, but not for that name"),
        "the broker's operator sets the public addresses in broker.toml to "
        "those by which members reach it, and restarts the broker");
  return ExplainTime(way, look.chain, now, broker_time);
}

// "7 minutes", "40 days".
std::string SpanText(absl::Duration span) {
  const int64_t days = absl::ToInt64Hours(span) / 24;
  return days < 2 ? absl::StrCat(absl::ToInt64Minutes(span), " minutes")
                  : absl::StrCat(days, " days");
}

}  // namespace

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

absl::Status CheckClock(absl::Time broker_time, absl::Time now) {
  const absl::Duration skew = absl::AbsDuration(broker_time - now);
  if (skew <= kClockSkewMax) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("this machine's clock is ", SpanText(skew),
                   " away from the broker's: here it is ", FormatUtc(now),
                   ", there ", FormatUtc(broker_time)),
      {.code = "config",
       .hint = "set the clock (a third one tells which is wrong), then try "
               "again"});
}

absl::Status ExplainUnreached(
    const Way& way, const absl::Status& told, absl::Time now,
    const std::function<absl::StatusOr<absl::Time>()>& broker_time) {
  const Road road = GoTo(way.address, absl::Now() + way.patience);
  if (road.end != Road::End::kThere) return ExplainRoad(way, road);
  const TlsLook look = LookAtTls(road.socket->fd(), HostOf(way.address),
                                 way.tls, now, absl::Now() + way.patience);
  const std::string through =
      road.proxy ? absl::StrCat(", through the proxy ", road.proxy->address)
                 : "";
  switch (look.end) {
    case TlsLook::End::kSilent:
      return Away(
          absl::StrCat(way.address,
                       " takes the connection, but does not answer", through),
          "the broker hangs, or something in between does: its operator looks "
          "at its journal, or restarts it");
    case TlsLook::End::kClosed:
      return Away(absl::StrCat(way.address,
                               " takes the connection and ends it before TLS "
                               "stands",
                               through),
                  "another port, something in between (a proxy, a filter), or "
                  "the broker is going down");
    case TlsLook::End::kNoTls13:
      return Away(absl::StrCat("what answers at ", way.address,
                               " does not speak TLS 1.3", through),
                  "something in between (a proxy, a filter), or another port");
    default:
      break;
  }
  if (look.chain.fault != ChainFault::kNone)
    return ExplainChain(way, look, now, broker_time);
  if (look.wants_certificate != (way.port == Way::Port::kMembers))
    return ExplainOtherPort(way);
  if (look.end == TlsLook::End::kRefused)
    return MakeError(
        absl::StatusCode::kUnavailable,
        absl::StrCat("the broker at ", way.address,
                     " does not take the certificate that it is shown"),
        {.code = "broker_unreachable",
         .hint = "it ended, or is of a CA that the network left: reconnect "
                 "with a new invitation"});
  if (look.end == TlsLook::End::kNoAnswer || absl::IsDeadlineExceeded(told))
    return Away(absl::StrCat("the broker at ", way.address,
                             " was reached, but does not answer in time"),
                "it is busy or hangs: try again; then its operator looks at "
                "its journal");
  return Away(absl::StrCat("the broker at ", way.address,
                           " answers now, and did not a moment ago"),
              "try again");
}

}  // namespace amparo

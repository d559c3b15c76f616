#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/grpc/credentials.h"

// Why nobody was reached at a port of the broker. gRPC says little of it, so
// the way is walked once more, step by step. Only explanations may depend on
// it.

namespace amparo {

// As far as this gRPC's text shows it, without another step.
enum class Unreached {
  kForeignCertificate,  // of a CA that is not trusted, or for another name
  kNoSuchName,          // DNS does not know the host
  kNobodyListens,       // the host refuses the port
  kNoTls13,             // what answers speaks something else
  kSilence,             // nothing came back, or the reason is not known
};
// `told`: the message of an UNAVAILABLE or DEADLINE_EXCEEDED call.
Unreached WhyUnreached(absl::string_view told);

// The way to one of the broker's two ports.
struct Way {
  enum class Port { kEnrolment, kMembers };
  Port port = Port::kEnrolment;
  std::string address;  // host:port
  ClientTls tls;        // a key and a certificate for the members' port
  absl::Duration patience = absl::Seconds(5);  // with the road, and with TLS
};

// The one cause why a call that went this way ended as `told`, which is
// UNAVAILABLE or DEADLINE_EXCEEDED, with the address and what to do: the name,
// the port, a proxy, something that speaks no TLS 1.3, the broker's other port,
// a certificate of ours that it refuses, silence ("broker_unreachable"); who
// answers is of no trusted CA, or has another name, however the clock stands
// ("wrong_pin"); a clock, where that alone is in the way ("config").
// `broker_time` asks the broker itself, which has shown a certificate of a
// trusted CA by then that has yet to begin; may be empty. Walks for twice the
// patience at most, but for DNS.
absl::Status ExplainUnreached(
    const Way& way, const absl::Status& told, absl::Time now,
    const std::function<absl::StatusOr<absl::Time>()>& broker_time = nullptr);

// How far a machine's clock may be from the broker's.
inline constexpr absl::Duration kClockSkewMax = absl::Minutes(5);
// OK, or FAILED_PRECONDITION (code "config") that says both times.
absl::Status CheckClock(absl::Time broker_time, absl::Time now);

}  // namespace amparo

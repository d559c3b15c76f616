#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// Why nobody was reached at a port of the broker, as far as this gRPC's text
// shows it. Only explanations may depend on it.

namespace amparo {

enum class Unreached {
  kForeignCertificate,  // of a CA that is not trusted, or for another name
  kNoSuchName,          // DNS does not know the host
  kNobodyListens,       // the host refuses the port
  kNoTls13,             // what answers speaks something else
  kSilence,             // nothing came back, or the reason is not known
};

// `told`: the message of an UNAVAILABLE or DEADLINE_EXCEEDED call.
Unreached WhyUnreached(absl::string_view told);

// An error that names that one cause. `port`: "enrolment port", for people.
absl::Status UnreachedError(Unreached why, absl::string_view port);

}  // namespace amparo

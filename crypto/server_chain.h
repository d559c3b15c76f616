#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace amparo {

// What is wrong with the certificates that a server showed: TLS only says that
// something is. For explanations to people, and to ask who is right about the
// time; it lets nobody in.
enum class ChainFault {
  kNone,
  kForeign,    // of no CA that is trusted
  kOtherHost,  // of a trusted CA, for another name
  kTooEarly,   // all right, but not yet
  kEnded,      // all right, but no more
};

struct ChainVerdict {
  ChainFault fault = ChainFault::kForeign;
  // Between these every certificate of the chain holds; unless kForeign.
  absl::Time from;
  absl::Time until;
};

// `chain_pem`: the server's own certificate first. `ca_pem`: one CA or several.
// `host`: a DNS name or an IP address. The signatures are judged first, the
// time last: what is of no trusted CA is foreign, whatever the clock says.
ChainVerdict JudgeServerChain(absl::string_view chain_pem,
                              absl::string_view ca_pem, const std::string& host,
                              absl::Time now);

}  // namespace amparo

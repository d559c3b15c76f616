#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/officer/profile.h"

// The way to the agent: its Unix socket, or TLS for an IT system.

namespace amparo::officer {

// A channel by what `profile` says; connects later. INVALID_ARGUMENT (code
// "config") when its files cannot be used: unreadable, no certificate, a key
// that is another certificate's or that everybody may read.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(
    const Profile& profile);

// Why a call ended as UNAVAILABLE, as far as it can be seen from here: who
// answers is not the agent (code "wrong_pin"), it does not take this
// certificate
// ("not_an_officer"), nobody answers ("agent_unreachable"). `told`: what gRPC
// says of the connection.
absl::Status WhyUnreachable(const Profile& profile, const std::string& told,
                            absl::Time now);

}  // namespace amparo::officer

#include "agents/officer/agent_client.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/officer/agent_channel.h"
#include "base/error.h"
#include "proto/grpc/status.h"

namespace amparo::officer {

AgentClient::AgentClient(Profile profile, const Clock& clock)
    : profile_(std::move(profile)), clock_(clock) {}

absl::Status AgentClient::Connect() {
  if (channel_ != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(channel_, OpenChannel(profile_));
  return absl::OkStatus();
}

void AgentClient::Prepare(grpc::ClientContext& context,
                          absl::Duration limit) const {
  context.set_deadline(absl::ToChronoTime(clock_.Now() + limit));
  if (!profile_.officer.empty())
    context.AddMetadata("amparo-officer", profile_.officer);
}

absl::StatusOr<AgentClient::Watch> AgentClient::OpenWatch(
    absl::Duration limit) {
  RETURN_IF_ERROR(Connect());
  v1::ReferralService::Stub stub(channel_);
  Watch watch;
  watch.context = std::make_unique<grpc::ClientContext>();
  Prepare(*watch.context, limit);
  watch.reader = stub.Watch(watch.context.get(), v1::WatchRequest());
  return watch;
}

absl::Status AgentClient::Explain(const grpc::Status& status) const {
  const absl::Status error = FromGrpc(status);
  // What bears a detail is the agent's word; the rest is the way to it.
  if (error.ok() || DetailOf(error)) return error;
  switch (error.code()) {
    case absl::StatusCode::kUnavailable:
      return WhyUnreachable(profile_, status.error_message(), clock_.Now());
    case absl::StatusCode::kDeadlineExceeded:
      return MakeError(
          absl::StatusCode::kDeadlineExceeded,
          absl::StrCat("the agent did not answer within ",
                       absl::FormatDuration(profile_.timeout)),
          {.code = "timed_out",
           .hint = absl::StrCat("look whether it was done before you try "
                                "again; timeout_s stands in ",
                                profile_.file),
           .retryable = true});
    case absl::StatusCode::kUnimplemented:
      return MakeError(absl::StatusCode::kUnimplemented,
                       "the agent does not know this command",
                       {.code = "internal",
                        .hint = "agent and amparo should have one version; "
                                "see `amparo status`"});
    default:
      return error;
  }
}

bool AgentClient::AnswerWasLost(const absl::Status& status) {
  const std::string code = ErrorCodeOf(status);
  return code == "agent_unreachable" || code == "timed_out";
}

}  // namespace amparo::officer

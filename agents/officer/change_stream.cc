#include "agents/officer/change_stream.h"

#include <algorithm>

#include "base/status.h"

namespace amparo::officer {
namespace {

constexpr absl::Duration kPauseBeforeReopening = absl::Milliseconds(250);

}  // namespace

ChangeStream::ChangeStream(AgentClient& client, const Clock& clock,
                           absl::Time until)
    : client_(client), clock_(clock), until_(until) {}

absl::Status ChangeStream::Next() {
  for (;;) {
    const absl::Duration left = until_ - clock_.Now();
    if (left <= absl::ZeroDuration())
      return absl::DeadlineExceededError("the time is up");
    if (!watch_) {
      ASSIGN_OR_RETURN(watch_, client_.OpenWatch(left));
    }
    v1::WatchResponse change;
    if (watch_->reader->Read(&change)) {
      worked_ = true;
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(End());
    absl::SleepFor(std::min(kPauseBeforeReopening, until_ - clock_.Now()));
  }
}

absl::Status ChangeStream::End() {
  const grpc::Status status = watch_->reader->Finish();
  watch_.reset();
  const bool in_time = clock_.Now() < until_;
  if (!in_time) return absl::DeadlineExceededError("the time is up");
  if (status.ok()) return absl::OkStatus();
  if (worked_ && status.error_code() == grpc::StatusCode::UNAVAILABLE)
    return absl::OkStatus();
  return client_.Explain(status);
}

}  // namespace amparo::officer

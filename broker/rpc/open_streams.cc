#include "broker/rpc/open_streams.h"

#include <utility>

#include "base/error.h"
#include "base/status.h"

namespace amparo::broker {

absl::Status OpenStreams::Add(const MemberId& member, Stream stream) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(closed_);
  std::vector<Stream>& open = streams_[member];
  std::erase_if(open, [](const Stream& old) { return old.alive.expired(); });
  if (open.size() >= per_member_max_)
    return MakeError(absl::StatusCode::kResourceExhausted,
                     "this member has too many streams open",
                     {.code = "conflict",
                      .hint = "end another stream first",
                      .retryable = true});
  open.push_back(std::move(stream));
  return absl::OkStatus();
}

void OpenStreams::EndWhere(
    const std::function<absl::Status(const MemberId&)>& verdict) {
  std::map<MemberId, std::vector<Stream>> streams;
  {
    MutexLock lock(mutex_);
    streams = streams_;
  }
  for (const auto& [member, open] : streams) {
    const absl::Status why = verdict(member);
    if (why.ok()) continue;
    for (const Stream& stream : open)
      if (const std::shared_ptr<void> alive = stream.alive.lock())
        stream.end(why);
  }
}

void OpenStreams::Close(const absl::Status& why) {
  {
    MutexLock lock(mutex_);
    closed_ = why;
  }
  EndWhere([&why](const MemberId&) { return why; });
}

}  // namespace amparo::broker

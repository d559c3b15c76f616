#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "proto/grpc/pull_stream.h"
#include "proto/network/member.h"

namespace amparo::broker {

// The streams that members have open, so that the broker can bound and end
// them. Thread-safe.
class OpenStreams {
 public:
  explicit OpenStreams(size_t per_member_max)
      : per_member_max_(per_member_max) {}

  // RESOURCE_EXHAUSTED when `member` has as many as it may.
  template <typename Message>
  absl::Status Add(const MemberId& member,
                   const std::shared_ptr<PullStream<Message>>& stream) {
    return Add(member, {stream, [raw = stream.get()](const absl::Status& why) {
                          raw->End(why);
                        }});
  }

  // Ends the streams of each member that `verdict` has an error for.
  void EndWhere(const std::function<absl::Status(const MemberId&)>& verdict);

  // Ends all, and refuses those that come.
  void Close(const absl::Status& why);

 private:
  struct Stream {
    std::weak_ptr<void> alive;
    std::function<void(const absl::Status&)> end;
  };

  absl::Status Add(const MemberId& member, Stream stream);

  const size_t per_member_max_;
  mutable Mutex mutex_;
  std::map<MemberId, std::vector<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::broker

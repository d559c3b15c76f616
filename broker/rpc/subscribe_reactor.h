#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "amparo/v1/broker.pb.h"
#include "broker/core/inbox_feed.h"
#include "broker/core/relay.h"
#include "broker/rpc/open_streams.h"
#include "proto/grpc/pull_stream.h"

namespace amparo::broker {

// What a subscription reads from; all outlive it.
struct MailboxSource {
  Relay& relay;
  InboxFeed& feed;
  OpenStreams& streams;
  Executor& executor;
};

// The stream of everything that concerns `member` after leaf `after`, woken by
// the feed. Ends with what Relay::Fetch refuses, and with RESOURCE_EXHAUSTED
// when the member has too many. `standing`: why the caller is no member, asked
// when `source.streams` has the stream, so that it ends there from then on.
grpc::ServerWriteReactor<v1::MailboxItem>* SubscribeReactor(
    const MailboxSource& source, const MemberId& member,
    std::optional<LeafIndex> after,
    const std::function<absl::Status()>& standing);

// A stream that ends with `status` at once.
template <typename Message>
grpc::ServerWriteReactor<Message>* RefuseStream(Executor& executor,
                                                const absl::Status& status) {
  const auto stream = PullStream<Message>::Create(executor);
  stream->Start([status](auto&) { return absl::StatusOr<Pulled>(status); });
  return stream.get();
}

}  // namespace amparo::broker

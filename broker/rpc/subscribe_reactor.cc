#include "broker/rpc/subscribe_reactor.h"

#include <deque>
#include <utility>
#include <vector>

#include "base/status.h"
#include "broker/rpc/proto_codec.h"

namespace amparo::broker {
namespace {

using Stream = PullStream<v1::MailboxItem>;

// A page is held in memory until its reader took it: small enough for many
// readers, large enough for a sync of small ones.
constexpr uint32_t kPageItemsMax = 64;
constexpr size_t kPageBytesMax = 1 << 20;

// Where one subscription stands. Used by one pull at a time.
struct Cursor {
  MailboxSource source;
  MemberId member;
  std::optional<LeafIndex> after;
  // Ends with the stream.
  std::optional<InboxFeed::Subscription> subscription;

  absl::StatusOr<Pulled> Pull(std::deque<v1::MailboxItem>& out) {
    ASSIGN_OR_RETURN(
        std::vector<Delivery> page,
        source.relay.Fetch(member, after, kPageItemsMax, kPageBytesMax));
    if (page.empty()) return Pulled::kNothingYet;
    after = page.back().receipt.leaf;
    for (Delivery& delivery : page) out.push_back(ToProto(std::move(delivery)));
    return Pulled::kSome;
  }
};

}  // namespace

grpc::ServerWriteReactor<v1::MailboxItem>* SubscribeReactor(
    const MailboxSource& source, const MemberId& member,
    std::optional<LeafIndex> after,
    const std::function<absl::Status()>& standing) {
  const std::shared_ptr<Stream> stream = Stream::Create(source.executor);
  const auto cursor =
      std::make_shared<Cursor>(Cursor{source, member, after, std::nullopt});
  absl::Status begun = source.streams.Add(member, stream);
  begun.Update(standing());
  if (begun.ok()) {
    auto subscription = source.feed.Subscribe(
        member, [waiting = std::weak_ptr<Stream>(stream)] {
          if (const auto awake = waiting.lock()) awake->Wake();
        });
    begun = subscription.status();
    if (begun.ok()) cursor->subscription.emplace(*std::move(subscription));
  }
  stream->Start(
      [cursor,
       begun](std::deque<v1::MailboxItem>& out) -> absl::StatusOr<Pulled> {
        RETURN_IF_ERROR(begun);
        return cursor->Pull(out);
      });
  return stream.get();
}

}  // namespace amparo::broker

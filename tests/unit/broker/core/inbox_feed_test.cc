#include "broker/core/inbox_feed.h"

#include <memory>
#include <optional>
#include <utility>

#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

const MemberId kA = *MemberId::Parse("clinic-a");
const MemberId kB = *MemberId::Parse("clinic-b");

TEST(InboxFeed, WakesTheMembersOwnSubscriptions) {
  InboxFeed feed(2);
  int woken_a = 0, woken_b = 0;
  const auto a = VALUE_OF(feed.Subscribe(kA, [&] { ++woken_a; }));
  const auto b = VALUE_OF(feed.Subscribe(kB, [&] { ++woken_b; }));
  feed.Notify(kA);
  EXPECT_EQ(woken_a, 1);
  EXPECT_EQ(woken_b, 0);
  feed.NotifyAll();
  EXPECT_EQ(woken_a, 2);
  EXPECT_EQ(woken_b, 1);
}

TEST(InboxFeed, EndsASubscriptionWithItsObject) {
  InboxFeed feed(2);
  int woken = 0;
  auto subscription =
      std::make_optional(VALUE_OF(feed.Subscribe(kA, [&] { ++woken; })));
  auto moved = std::make_optional(*std::move(subscription));
  subscription.reset();
  feed.Notify(kA);
  EXPECT_EQ(woken, 1);
  moved.reset();
  feed.Notify(kA);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(feed.SubscriptionCount(), 0u);
}

TEST(InboxFeed, LimitsTheStreamsOfAMember) {
  InboxFeed feed(2);
  auto first = std::make_optional(VALUE_OF(feed.Subscribe(kA, [] {})));
  const auto second = VALUE_OF(feed.Subscribe(kA, [] {}));
  EXPECT_THAT(feed.Subscribe(kA, [] {}),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_OK(feed.Subscribe(kB, [] {}));
  first.reset();
  EXPECT_OK(feed.Subscribe(kA, [] {}));
}

TEST(InboxFeed, MayBeCalledFromAWake) {
  InboxFeed feed(2);
  std::optional<InboxFeed::Subscription> own;
  own.emplace(VALUE_OF(feed.Subscribe(kA, [&] { own.reset(); })));
  feed.Notify(kA);
  EXPECT_EQ(feed.SubscriptionCount(), 0u);
}

}  // namespace
}  // namespace amparo::broker

#include "tests/integration/agents/api_fixture.h"

namespace amparo::agent {
namespace {

class Watching : public ApiTest {
 protected:
  Watching() : stub_(channel_) {}

  struct Watch {
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> reader;

    // The next revision; nullopt when the stream ended.
    std::optional<uint64_t> Next() {
      v1::WatchResponse response;
      if (!reader->Read(&response)) return std::nullopt;
      return response.revision();
    }
    absl::Status End() {
      context->TryCancel();
      while (Next()) continue;
      return FromGrpc(reader->Finish());
    }
  };
  Watch Begin(const std::string& handle = "me") {
    Watch watch{CallAs(handle), nullptr};
    watch.reader = stub_.Watch(watch.context.get(), v1::WatchRequest());
    return watch;
  }
  void Change() {
    VALUE_OF(api_.agent().consents().Record(api_.agent().officer(),
                                            kExampleConsentForm, {}, ""));
  }

  v1::ReferralService::Stub stub_;
};

TEST_F(Watching, SaysSomethingAtOnceAndAfterEachChange) {
  Watch watch = Begin();
  const auto first = watch.Next();
  ASSERT_TRUE(first.has_value());
  Change();
  const auto second = watch.Next();
  ASSERT_TRUE(second.has_value());
  EXPECT_GT(*second, *first);
  EXPECT_THAT(watch.End(), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(Watching, WakesEverybody) {
  Watch one = Begin();
  Watch two = Begin("root");
  ASSERT_TRUE(one.Next() && two.Next());
  Change();
  EXPECT_TRUE(one.Next().has_value());
  EXPECT_TRUE(two.Next().has_value());
  (void)one.End();
  (void)two.End();
}

TEST_F(Watching, IsForOfficers) {
  Watch watch = Begin("nobody");
  EXPECT_FALSE(watch.Next().has_value());
  EXPECT_THAT(FromGrpc(watch.reader->Finish()), HasErrorCode("not_an_officer"));
}

TEST_F(Watching, HasALimitAndAPlaceAgainWhenOneEnds) {
  std::vector<Watch> watches;
  for (size_t i = 0; i < kWatchersMaxForTest; ++i) {
    watches.push_back(Begin());
    ASSERT_TRUE(watches.back().Next().has_value());
  }
  Watch refused = Begin();
  EXPECT_FALSE(refused.Next().has_value());
  EXPECT_THAT(FromGrpc(refused.reader->Finish()),
              StatusIs(absl::StatusCode::kResourceExhausted));
  (void)watches.back().End();
  // The server lets go when it hears of it: ask until it did.
  for (bool again = false; !again;) {
    Watch next = Begin();
    again = next.Next().has_value();
    if (again) {
      (void)next.End();
    } else {
      ASSERT_THAT(FromGrpc(next.reader->Finish()),
                  StatusIs(absl::StatusCode::kResourceExhausted));
    }
  }
  watches.pop_back();
  for (Watch& watch : watches) (void)watch.End();
}

TEST_F(Watching, EndsWhenTheServerDoes) {
  Watch watch = Begin();
  ASSERT_TRUE(watch.Next().has_value());
  listener_->Shutdown(absl::ZeroDuration());
  EXPECT_FALSE(watch.Next().has_value());
  EXPECT_FALSE(FromGrpc(watch.reader->Finish()).ok());
}

}  // namespace
}  // namespace amparo::agent

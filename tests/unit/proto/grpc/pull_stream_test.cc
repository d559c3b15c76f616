#include "proto/grpc/pull_stream.h"

#include <grpcpp/client_context.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "amparo/v1/broker.grpc.pb.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

using absl::StatusCode;
using Message = v1::CheckpointResponse;
using Stream = PullStream<Message>;

// A server without a port whose one stream reads from `source`.
class OneStream final : public v1::LogService::CallbackService {
 public:
  explicit OneStream(Stream::Source source, size_t queue_max = 64)
      : source_(std::move(source)), executor_(1, queue_max) {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~OneStream() { server_->Shutdown(); }

  grpc::ServerWriteReactor<Message>* WatchCheckpoints(
      grpc::CallbackServerContext*,
      const v1::WatchCheckpointsRequest*) override {
    const auto stream = Stream::Create(executor_);
    {
      MutexLock lock(mutex_);
      stream_ = stream;
    }
    stream->Start(source_);
    return stream.get();
  }

  // The stream that was opened last, while it lives.
  std::shared_ptr<Stream> stream() {
    MutexLock lock(mutex_);
    return stream_.lock();
  }

  class Client {
   public:
    explicit Client(OneStream& server)
        : stub_(server.server_->InProcessChannel({})),
          reader_(stub_.WatchCheckpoints(&context_, {})) {}
    std::string Next() {
      Message message;
      return reader_->Read(&message) ? message.note() : "(end)";
    }
    void Cancel() { context_.TryCancel(); }
    absl::Status End() { return FromGrpc(reader_->Finish()); }

   private:
    v1::LogService::Stub stub_;
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReader<Message>> reader_;
  };

 private:
  const Stream::Source source_;
  std::unique_ptr<grpc::Server> server_;
  Executor executor_;
  Mutex mutex_;
  std::weak_ptr<Stream> stream_ ABSL_GUARDED_BY(mutex_);
};

// Pages of two, then `end`.
Stream::Source Counting(int count, Pulled end) {
  return [next = 0, count,
          end](std::deque<Message>& out) mutable -> absl::StatusOr<Pulled> {
    for (int i = 0; i < 2 && next < count; ++i)
      out.emplace_back().set_note(std::to_string(next++));
    return next < count ? Pulled::kSome : end;
  };
}

TEST(PullStream, GivesEverythingInOrderAndEnds) {
  OneStream server(Counting(5, Pulled::kEnd));
  OneStream::Client client(server);
  for (const char* expected : {"0", "1", "2", "3", "4", "(end)"})
    EXPECT_EQ(client.Next(), expected);
  EXPECT_OK(client.End());
}

TEST(PullStream, WaitsUntilItIsWoken) {
  std::atomic<int> ready = 0;
  OneStream server(
      [&ready,
       given = 0](std::deque<Message>& out) mutable -> absl::StatusOr<Pulled> {
        if (given == ready) return Pulled::kNothingYet;
        out.emplace_back().set_note(std::to_string(given++));
        return Pulled::kSome;
      });
  OneStream::Client client(server);
  ready = 1;
  while (server.stream() == nullptr) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) {
    ready = i + 1;
    server.stream()->Wake();
    EXPECT_EQ(client.Next(), std::to_string(i));
  }
  client.Cancel();
  EXPECT_THAT(client.End(), StatusIs(StatusCode::kCancelled));
}

TEST(PullStream, EndsWithTheErrorOfItsSource) {
  OneStream server([](std::deque<Message>&) -> absl::StatusOr<Pulled> {
    return absl::FailedPreconditionError("no");
  });
  OneStream::Client client(server);
  EXPECT_EQ(client.Next(), "(end)");
  EXPECT_THAT(client.End(), StatusIs(StatusCode::kFailedPrecondition));
}

TEST(PullStream, EndsWhenItIsTold) {
  OneStream server(Counting(1, Pulled::kNothingYet));
  OneStream::Client client(server);
  EXPECT_EQ(client.Next(), "0");
  server.stream()->End(absl::UnavailableError("going away"));
  EXPECT_EQ(client.Next(), "(end)");
  EXPECT_THAT(client.End(), StatusIs(StatusCode::kUnavailable));
}

TEST(PullStream, SaysThatItsQueueIsFull) {
  OneStream server(Counting(1, Pulled::kEnd), 0);
  OneStream::Client client(server);
  EXPECT_EQ(client.Next(), "(end)");
  EXPECT_THAT(client.End(), StatusIs(StatusCode::kResourceExhausted));
}

// What a source holds (a subscription) goes when its client goes.
TEST(PullStream, LetsGoOfItsSourceWhenTheClientIsGone) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  {
    OneStream server([held](std::deque<Message>&) -> absl::StatusOr<Pulled> {
      return Pulled::kNothingYet;
    });
    held.reset();
    {
      OneStream::Client client(server);
      while (server.stream() == nullptr) std::this_thread::yield();
      client.Cancel();
      EXPECT_FALSE(client.End().ok());
    }
    while (server.stream() != nullptr) std::this_thread::yield();
  }
  EXPECT_TRUE(watched.expired());
}

TEST(PullStream, EndsUnderAStormOfWakes) {
  for (int round = 0; round < 20; ++round) {
    OneStream server(Counting(1000, Pulled::kNothingYet));
    OneStream::Client client(server);
    EXPECT_EQ(client.Next(), "0");
    const std::shared_ptr<Stream> stream = server.stream();
    std::thread storm([stream] {
      for (int i = 0; i < 1000; ++i) stream->Wake();
    });
    client.Cancel();
    EXPECT_THAT(client.End(), StatusIs(StatusCode::kCancelled));
    storm.join();
  }
}

}  // namespace
}  // namespace amparo

#include "proto/grpc/unary.h"

#include <grpcpp/client_context.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <vector>

#include "amparo/v1/admin.grpc.pb.h"
#include "base/error.h"
#include "base/mutex.h"
#include "proto/grpc/status.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

using absl::StatusCode;
using Work = std::function<void(Finisher, v1::InviteResponse*)>;

struct Seen final : CallObserver {
  void OnEnd(const char* method, StatusCode code, absl::Duration) override {
    MutexLock lock(mutex);
    calls.emplace_back(method, code);
  }
  Mutex mutex;
  std::vector<std::pair<std::string, StatusCode>> calls ABSL_GUARDED_BY(mutex);
};

// A server without a port whose one method does `work`.
class OneMethod final : public v1::AdminService::CallbackService {
 public:
  OneMethod(size_t queue_max, Work work)
      : work_(std::move(work)), executor_(1, queue_max) {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~OneMethod() { server_->Shutdown(); }

  grpc::ServerUnaryReactor* Invite(grpc::CallbackServerContext* context,
                                   const v1::InviteRequest*,
                                   v1::InviteResponse* response) override {
    return RunUnaryAsync(
        executor_, context,
        [this, response](const Finisher& finish) { work_(finish, response); },
        {&seen, "Invite"});
  }

  absl::StatusOr<std::string> Call() {
    const auto stub = v1::AdminService::NewStub(server_->InProcessChannel({}));
    grpc::ClientContext context;
    v1::InviteResponse response;
    const grpc::Status status = stub->Invite(&context, {}, &response);
    if (!status.ok()) return FromGrpc(status);
    return response.invitation();
  }

  Seen seen;

 private:
  const Work work_;
  std::unique_ptr<grpc::Server> server_;
  Executor executor_;
};

TEST(Unary, AnswersWithWhatTheWorkFound) {
  OneMethod server(8, [](const Finisher& finish, v1::InviteResponse* response) {
    response->set_invitation("come");
    finish(absl::OkStatus());
  });
  EXPECT_EQ(VALUE_OF(server.Call()), "come");
  MutexLock lock(server.seen.mutex);
  ASSERT_EQ(server.seen.calls.size(), 1u);
  EXPECT_EQ(server.seen.calls[0].first, "Invite");
  EXPECT_EQ(server.seen.calls[0].second, StatusCode::kOk);
}

TEST(Unary, AnswersWithTheErrorOfTheWork) {
  OneMethod server(8, [](const Finisher& finish, v1::InviteResponse*) {
    finish(
        MakeError(StatusCode::kNotFound, "nobody", {.code = "unknown_member"}));
  });
  const auto refused = server.Call();
  EXPECT_THAT(refused, StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(ErrorCodeOf(refused.status()), "unknown_member");
}

TEST(Unary, SaysThatItsQueueIsFull) {
  OneMethod server(0, [](const Finisher& finish, v1::InviteResponse*) {
    finish(absl::OkStatus());
  });
  const auto refused = server.Call();
  EXPECT_THAT(refused, StatusIs(StatusCode::kResourceExhausted));
  EXPECT_TRUE(DetailOf(refused.status())->retryable);
}

TEST(Unary, EndsACallFromAnotherThread) {
  std::vector<std::thread> others;
  {
    OneMethod server(8, [&](const Finisher& finish, v1::InviteResponse* out) {
      others.emplace_back([finish, out] {
        out->set_invitation("later");
        finish(absl::OkStatus());
      });
    });
    EXPECT_EQ(VALUE_OF(server.Call()), "later");
  }
  for (std::thread& other : others) other.join();
}

TEST(Unary, EndsACallThatWasForgotten) {
  OneMethod server(8, [](const Finisher&, v1::InviteResponse*) {});
  EXPECT_THAT(server.Call(), StatusIs(StatusCode::kInternal));
}

TEST(Unary, EndsACallOnce) {
  OneMethod server(8, [](const Finisher& finish, v1::InviteResponse*) {
    finish(absl::NotFoundError("x"));
    finish(absl::OkStatus());
  });
  EXPECT_THAT(server.Call(), StatusIs(StatusCode::kNotFound));
}

}  // namespace
}  // namespace amparo

#include "proto/grpc/unary.h"

#include <grpcpp/server_context.h>

#include <atomic>

#include "base/error.h"
#include "proto/grpc/status.h"

namespace amparo {

struct Finisher::Call {
  explicit Call(grpc::ServerUnaryReactor* r) : reactor(r) {}
  ~Call() { Finish(absl::InternalError("a call was dropped")); }

  void Finish(const absl::Status& status) {
    if (!done.exchange(true)) reactor->Finish(ToGrpc(status));
  }

  grpc::ServerUnaryReactor* const reactor;
  std::atomic<bool> done = false;
};

Finisher::Finisher(grpc::ServerUnaryReactor* reactor)
    : call_(std::make_shared<Call>(reactor)) {}

void Finisher::operator()(const absl::Status& status) const {
  call_->Finish(status);
}

absl::Status QueueFull() {
  return MakeError(absl::StatusCode::kResourceExhausted,
                   "too many requests are waiting",
                   {.code = "timed_out",
                    .hint = "try again in a moment",
                    .retryable = true});
}

grpc::ServerUnaryReactor* RunUnaryAsync(Executor& executor,
                                        grpc::CallbackServerContext* context,
                                        std::function<void(Finisher)> work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const Finisher finish(reactor);
  if (!executor.TrySubmit([finish, work = std::move(work)] { work(finish); }))
    finish(QueueFull());
  return reactor;
}

grpc::ServerUnaryReactor* RunUnary(Executor& executor,
                                   grpc::CallbackServerContext* context,
                                   std::function<absl::Status()> work) {
  return RunUnaryAsync(
      executor, context,
      [work = std::move(work)](const Finisher& finish) { finish(work()); });
}

}  // namespace amparo

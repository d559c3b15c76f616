#include "proto/grpc/unary.h"

#include <grpcpp/server_context.h>

#include <atomic>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "proto/grpc/status.h"

namespace amparo {

struct Finisher::Call {
  using Stopwatch = std::chrono::steady_clock;

  Call(grpc::ServerUnaryReactor* r, CallName n) : reactor(r), name(n) {}
  ~Call() { Finish(absl::InternalError("a call was dropped")); }

  void Finish(const absl::Status& status) {
    if (done.exchange(true)) return;
    if (name.observer != nullptr)
      name.observer->OnEnd(name.method, status.code(),
                           absl::FromChrono(Stopwatch::now() - began));
    reactor->Finish(ToGrpc(status));
  }

  grpc::ServerUnaryReactor* const reactor;
  const CallName name;
  const Stopwatch::time_point began = Stopwatch::now();
  std::atomic<bool> done = false;
};

Finisher::Finisher(grpc::ServerUnaryReactor* reactor, CallName name)
    : call_(std::make_shared<Call>(reactor, name)) {}

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
                                        std::function<void(Finisher)> work,
                                        CallName name) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const Finisher finish(reactor, name);
  if (!executor.TrySubmit([finish, work = std::move(work)] { work(finish); }))
    finish(QueueFull());
  return reactor;
}

grpc::ServerUnaryReactor* RunUnary(Executor& executor,
                                   grpc::CallbackServerContext* context,
                                   std::function<absl::Status()> work,
                                   CallName name) {
  return RunUnaryAsync(
      executor, context,
      [work = std::move(work)](const Finisher& finish) { finish(work()); },
      name);
}

}  // namespace amparo

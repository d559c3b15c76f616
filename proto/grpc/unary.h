#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "base/executor.h"

// Unary calls of the callback API, off gRPC's threads: a method converts and
// enqueues, a bounded executor works, one place finishes.

namespace amparo {

// Ends one call, once; from any thread. Request, response and context are gone
// as soon as it was called. Copies share the one call.
class Finisher {
 public:
  explicit Finisher(grpc::ServerUnaryReactor* reactor);
  // Later calls do nothing.
  void operator()(const absl::Status& status) const;

 private:
  struct Call;
  std::shared_ptr<Call> call_;
};

// RESOURCE_EXHAUSTED, retryable: what a full queue answers.
absl::Status QueueFull();

// Runs `work` (Finisher) on `executor`. It, or whatever it hands the Finisher
// to, ends the call: for work that goes on in another object's callback.
// A Finisher that nobody calls ends the call as INTERNAL.
grpc::ServerUnaryReactor* RunUnaryAsync(Executor& executor,
                                        grpc::CallbackServerContext* context,
                                        std::function<void(Finisher)> work);

// Runs `work` on `executor` and ends the call with what it returns.
grpc::ServerUnaryReactor* RunUnary(Executor& executor,
                                   grpc::CallbackServerContext* context,
                                   std::function<absl::Status()> work);

}  // namespace amparo

#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/executor.h"

// Unary calls of the callback API, off gRPC's threads: a method converts and
// enqueues, a bounded executor works, one place finishes.

namespace amparo {

// Told of every call that ended. Thread-safe; must not block.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  // `method`: a constant of the program.
  virtual void OnEnd(const char* method, absl::StatusCode code,
                     absl::Duration took) = 0;
};

// Whom to tell, and of which method; nobody by default.
struct CallName {
  CallObserver* observer = nullptr;
  const char* method = "";
};

// Ends one call, once; from any thread. Request, response and context are gone
// as soon as it was called. Copies share the one call; when the last one goes
// uncalled, the call ends as INTERNAL.
class Finisher {
 public:
  explicit Finisher(grpc::ServerUnaryReactor* reactor, CallName name = {});
  // Later calls do nothing.
  void operator()(const absl::Status& status) const;

 private:
  struct Call;
  std::shared_ptr<Call> call_;
};

// RESOURCE_EXHAUSTED, retryable: what a full queue answers.
absl::Status QueueFull();

// Runs `work` on `executor`; it, or whatever it hands the Finisher to, ends the
// call: for work that goes on in another object's callback.
grpc::ServerUnaryReactor* RunUnaryAsync(Executor& executor,
                                        grpc::CallbackServerContext* context,
                                        std::function<void(Finisher)> work,
                                        CallName name = {});

// Runs `work` on `executor` and ends the call with what it returns.
grpc::ServerUnaryReactor* RunUnary(Executor& executor,
                                   grpc::CallbackServerContext* context,
                                   std::function<absl::Status()> work,
                                   CallName name = {});

}  // namespace amparo

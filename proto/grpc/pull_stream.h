#pragma once

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "proto/grpc/status.h"
#include "proto/grpc/unary.h"

namespace amparo {

enum class Pulled {
  kSome,        // more may be there at once
  kNothingYet,  // ask again after a Wake
  kEnd,         // what was given is the last
};

// The server's side of a stream that reads its messages from a source at the
// pace of its client: one message is under way at a time, and the source is
// asked on an executor, never on gRPC's threads. Thread-safe; owns itself until
// gRPC is done with it.
template <typename Message>
class PullStream final
    : public grpc::ServerWriteReactor<Message>,
      public std::enable_shared_from_this<PullStream<Message>> {
 public:
  // Appends what comes next. One call at a time; an error ends the stream.
  using Source =
      std::function<absl::StatusOr<Pulled>(std::deque<Message>& out)>;

  // `executor` must outlive every stream, and its queue hold a task for each.
  static std::shared_ptr<PullStream> Create(Executor& executor) {
    std::shared_ptr<PullStream> stream(new PullStream(executor));
    stream->self_ = stream;
    return stream;
  }

  // Call once, before the method returns this object to gRPC.
  void Start(Source source) {
    source_ = std::move(source);
    Schedule();
  }

  // There may be something new.
  void Wake() {
    {
      MutexLock lock(mutex_);
      woken_ = true;
      if (state_ != State::kIdle) return;
      state_ = State::kPulling;
    }
    Schedule();
  }

  // Ends the stream when the message under way is out.
  void End(const absl::Status& status) {
    {
      MutexLock lock(mutex_);
      if (!ending_) ending_ = status;
      if (state_ != State::kIdle) return;
      state_ = State::kFinished;
    }
    this->Finish(ToGrpc(status));
  }

 private:
  // Whoever holds a state other than kIdle and kFinished owns out_ and pulled_.
  enum class State { kIdle, kPulling, kWriting, kFinished };

  explicit PullStream(Executor& executor) : executor_(executor) {}

  void Schedule() {
    {
      MutexLock lock(mutex_);
      woken_ = false;
    }
    if (executor_.TrySubmit(
            [self = this->shared_from_this()] { self->Pull(); }))
      return;
    Refuse(QueueFull());
    Advance();
  }

  void Pull() {
    absl::StatusOr<Pulled> pulled = source_(out_);
    if (pulled.ok())
      pulled_ = *pulled;
    else
      Refuse(pulled.status());
    Advance();
  }

  void Refuse(const absl::Status& status) {
    MutexLock lock(mutex_);
    if (!ending_) ending_ = status;
  }

  // The next step of whoever holds the state.
  void Advance() {
    std::optional<absl::Status> end;
    {
      MutexLock lock(mutex_);
      if (ending_) {
        end = ending_;
      } else if (!out_.empty()) {
        state_ = State::kWriting;
      } else if (pulled_ == Pulled::kEnd) {
        end = absl::OkStatus();
      } else if (pulled_ == Pulled::kSome || woken_) {
        state_ = State::kPulling;
      } else {
        state_ = State::kIdle;
        return;
      }
      if (end) state_ = State::kFinished;
    }
    if (end) return this->Finish(ToGrpc(*end));
    if (out_.empty()) return Schedule();
    this->StartWrite(&out_.front());
  }

  void OnWriteDone(bool ok) override {
    out_.pop_front();
    if (!ok) Refuse(absl::CancelledError("the client is gone"));
    Advance();
  }
  void OnCancel() override { End(absl::CancelledError("the client is gone")); }
  void OnDone() override {
    // The source may hold what must go before the server does.
    source_ = nullptr;
    const std::shared_ptr<PullStream> last = std::move(self_);
  }

  Executor& executor_;
  std::shared_ptr<PullStream> self_;
  Source source_;
  std::deque<Message> out_;
  Pulled pulled_ = Pulled::kSome;

  Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kPulling;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> ending_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo

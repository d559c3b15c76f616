#include "tests/bench/load.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace amparo::bench {
namespace {

// When each request was sent and when it arrived, on one clock.
class Times {
 public:
  explicit Times(size_t count) : sent_(count), arrived_(count) {}

  void Sent(size_t i) { sent_[i] = absl::GetCurrentTimeNanos(); }
  void Arrived(size_t i) { arrived_[i] = absl::GetCurrentTimeNanos(); }

  Figures Summary() const {
    std::vector<int64_t> took;
    int64_t first = sent_.front(), last = 0;
    for (size_t i = 0; i < sent_.size(); ++i) {
      took.push_back(arrived_[i] - sent_[i]);
      first = std::min<int64_t>(first, sent_[i]);
      last = std::max<int64_t>(last, arrived_[i]);
    }
    std::sort(took.begin(), took.end());
    const auto quantile = [&](double q) {
      return absl::Nanoseconds(
          took[static_cast<size_t>(q * static_cast<double>(took.size() - 1))]);
    };
    return {static_cast<double>(took.size()) * 1e9 /
                static_cast<double>(last - first),
            quantile(0.5), quantile(0.99)};
  }

 private:
  // Written by gRPC's threads and the reader's, each once.
  std::vector<std::atomic<int64_t>> sent_, arrived_;
};

// Keeps `in_flight` calls under way until every request was answered.
class Sender {
 public:
  Sender(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
         std::span<const v1::SubmitRequest> requests)
      : requests_(requests), left_(requests.size()) {
    for (const auto& channel : channels)
      stubs_.push_back(v1::RelayService::NewStub(channel));
  }

  void Run(size_t in_flight, std::function<void(size_t)> sent,
           std::function<void(size_t)> answered) {
    sent_ = std::move(sent);
    answered_ = std::move(answered);
    for (size_t i = 0; i < std::min(in_flight, requests_.size()); ++i) Next();
    done_.WaitForNotification();
    if (refusals_ > 0)
      throw std::runtime_error(
          absl::StrCat(refusals_.load(),
                       " submissions refused, one with: ", first_refusal_));
  }

 private:
  struct Call {
    grpc::ClientContext context;
    v1::LeafReceipt receipt;
  };

  void Next() {
    const size_t i = next_++;
    if (i >= requests_.size()) return;
    auto* const call = new Call;
    sent_(i);
    stubs_[i % stubs_.size()]->async()->Submit(
        &call->context, &requests_[i], &call->receipt,
        [this, i, call](const grpc::Status& status) {
          delete call;
          answered_(i);
          if (!status.ok() && refusals_++ == 0)
            first_refusal_ = status.error_message();
          Next();
          if (--left_ == 0) done_.Notify();
        });
  }

  const std::span<const v1::SubmitRequest> requests_;
  std::vector<std::unique_ptr<v1::RelayService::Stub>> stubs_;
  std::function<void(size_t)> sent_, answered_;
  std::atomic<size_t> next_ = 0, left_, refusals_ = 0;
  std::string first_refusal_;
  absl::Notification done_;
};

// One subscription.
class Consumer {
 public:
  // Open, with nothing behind it but `newest`, the newest envelope for this
  // recipient, when it returns.
  Consumer(const std::shared_ptr<grpc::Channel>& channel,
           const v1::LeafReceipt& newest)
      : stub_(v1::RelayService::NewStub(channel)) {
    v1::SubscribeRequest request;
    request.set_from_start(newest.leaf() == 0);
    if (newest.leaf() > 0) request.set_after_leaf(newest.leaf() - 1);
    stream_ = stub_->Subscribe(&context_, request);
    Read();
  }

  void ReadAll(std::span<const v1::SubmitRequest> requests,
               const std::function<void(size_t)>& arrived) {
    absl::flat_hash_map<absl::string_view, size_t> places;
    for (size_t i = 0; i < requests.size(); ++i)
      places[requests[i].envelope().signature()] = i;
    for (size_t left = requests.size(); left > 0; --left)
      arrived(places.at(Read().envelope().signature()));
    context_.TryCancel();
    while (stream_->Read(&item_)) continue;
    stream_->Finish().error_code();
  }

 private:
  const v1::MailboxItem& Read() {
    if (!stream_->Read(&item_))
      throw std::runtime_error("the subscription ended: " +
                               stream_->Finish().error_message());
    return item_;
  }

  const std::unique_ptr<v1::RelayService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::MailboxItem>> stream_;
  v1::MailboxItem item_;
};

v1::LeafReceipt SubmitOne(const std::shared_ptr<grpc::Channel>& channel,
                          const v1::SubmitRequest& request) {
  grpc::ClientContext context;
  v1::LeafReceipt receipt;
  const grpc::Status status =
      v1::RelayService::NewStub(channel)->Submit(&context, request, &receipt);
  if (!status.ok()) throw std::runtime_error(status.error_message());
  return receipt;
}

}  // namespace

Figures Submit(const std::vector<std::shared_ptr<grpc::Channel>>& senders,
               std::span<const v1::SubmitRequest> requests, size_t in_flight) {
  Times times(requests.size());
  Sender(senders, requests)
      .Run(
          in_flight, [&](size_t i) { times.Sent(i); },
          [&](size_t i) { times.Arrived(i); });
  return times.Summary();
}

Figures SubmitToConsumer(
    const std::vector<std::shared_ptr<grpc::Channel>>& senders,
    const std::shared_ptr<grpc::Channel>& recipient,
    std::span<const v1::SubmitRequest> requests, size_t in_flight) {
  Consumer consumer(recipient, SubmitOne(senders.front(), requests.front()));
  requests = requests.subspan(1);
  Times times(requests.size());
  std::thread reading(
      [&] { consumer.ReadAll(requests, [&](size_t i) { times.Arrived(i); }); });
  Sender(senders, requests)
      .Run(
          in_flight, [&](size_t i) { times.Sent(i); }, [](size_t) {});
  reading.join();
  return times.Summary();
}

}  // namespace amparo::bench

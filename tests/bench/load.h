#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <span>
#include <vector>

#include "absl/time/time.h"
#include "amparo/v1/broker.grpc.pb.h"

namespace amparo::bench {

struct Figures {
  double per_second = 0;
  absl::Duration p50, p99;
};

// Sends every request once, `in_flight` at a time, over `senders` in turn; a
// call's time is from its start to its answer. Throws when one is refused.
Figures Submit(const std::vector<std::shared_ptr<grpc::Channel>>& senders,
               std::span<const v1::SubmitRequest> requests, size_t in_flight);

// The same with the recipient's subscription open on `recipient`: a time is
// from the call's start to the envelope's arrival there, and the rate that of
// arrivals.
Figures SubmitToConsumer(
    const std::vector<std::shared_ptr<grpc::Channel>>& senders,
    const std::shared_ptr<grpc::Channel>& recipient,
    std::span<const v1::SubmitRequest> requests, size_t in_flight);

}  // namespace amparo::bench

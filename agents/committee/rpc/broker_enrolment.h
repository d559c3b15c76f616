#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "agents/committee/enrolment_port.h"
#include "proto/grpc/enrolment_client.h"
#include "proto/network/network_file.h"

namespace amparo::committee {

// The enrolment port over gRPC. Thread-safe.
class BrokerEnrolment : public EnrolmentPort {
 public:
  // `address`: host:port; empty for the one that `network` names.
  static absl::StatusOr<BrokerEnrolment> Connect(const NetworkFile& network,
                                                 const std::string& address);

  absl::Status PublishCharter(
      const std::string& document,
      const std::optional<Bytes>& founding_token) override;
  absl::Status PublishSuspension(const std::string& document) override;
  absl::StatusOr<std::string> GetCharter(uint64_t version) override;
  absl::StatusOr<std::string> GetJoinRequest(const MemberId& member) override;

 private:
  explicit BrokerEnrolment(EnrolmentClient client)
      : client_(std::move(client)) {}
  EnrolmentClient client_;
};

}  // namespace amparo::committee

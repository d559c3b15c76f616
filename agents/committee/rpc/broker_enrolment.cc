#include "agents/committee/rpc/broker_enrolment.h"

#include "base/status.h"

namespace amparo::committee {

absl::StatusOr<BrokerEnrolment> BrokerEnrolment::Connect(
    const NetworkFile& network, const std::string& address) {
  ASSIGN_OR_RETURN(
      EnrolmentClient client,
      EnrolmentClient::Connect(address.empty() ? network.enrol : address,
                               network.ca_der, network.next_ca_der));
  return BrokerEnrolment(std::move(client));
}

absl::Status BrokerEnrolment::PublishCharter(
    const std::string& document, const std::optional<Bytes>& founding_token) {
  return client_.PublishCharter(document, founding_token.value_or(Bytes()));
}

absl::Status BrokerEnrolment::PublishSuspension(const std::string& document) {
  return client_.PublishSuspension(document);
}

absl::StatusOr<std::string> BrokerEnrolment::GetCharter(uint64_t version) {
  return client_.GetCharter(version);
}

absl::StatusOr<std::string> BrokerEnrolment::GetJoinRequest(
    const MemberId& member) {
  return client_.GetJoinRequest(member);
}

}  // namespace amparo::committee

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "amparo/v1/enrolment.grpc.pb.h"
#include "base/bytes.h"
#include "proto/grpc/unreached.h"
#include "proto/network/charter.h"
#include "proto/network/invitation.h"
#include "proto/network/member.h"

namespace amparo {

// The broker's enrolment port, for whoever joins and for the committee. Calls
// block, with a deadline of 15 s; where nobody answers, up to 15 s more, and
// what ExplainUnreached says. Thread-safe.
class EnrolmentClient {
 public:
  // `ca_der`: the network CA's certificate, pinned; nothing else is trusted,
  // but while it changes the one that takes its place.
  static absl::StatusOr<EnrolmentClient> Connect(
      const std::string& address, ByteView ca_der,
      const std::optional<Bytes>& next_ca_der = std::nullopt);

  struct Network {
    std::string network;
    std::string members_address;
    uint64_t charter_version = 0;  // 0: none published yet
    absl::Time broker_time;
    std::string ca_note;  // see VerifyCaNote
  };
  absl::StatusOr<Network> GetNetwork() const;

  // A charter's document as published; version 0 is the newest.
  absl::StatusOr<std::string> GetCharter(uint64_t version) const;
  // The newest charter, checked version by version from `root` on.
  absl::StatusOr<AcceptedCharter> GetCharterChain(const Digest& root) const;

  // `founding_token`: for version 1 only, else empty.
  absl::Status PublishCharter(absl::string_view document,
                              ByteView founding_token) const;

  // A suspension by two governance keys.
  absl::Status PublishSuspension(absl::string_view document) const;

  struct Joined {
    std::string certificate_pem;
    std::string members_address;
  };
  // `certificate_request`: CertificateRequest about the CSR, by the identity
  // key of the join request.
  absl::StatusOr<Joined> Join(const Invitation& invitation,
                              absl::string_view csr_pem,
                              absl::string_view join_request,
                              absl::string_view certificate_request) const;

  // NOT_FOUND when `member` left none.
  absl::StatusOr<std::string> GetJoinRequest(const MemberId& member) const;

 private:
  EnrolmentClient(Way way, std::unique_ptr<v1::EnrolmentService::Stub> stub)
      : way_(std::move(way)), stub_(std::move(stub)) {}
  template <typename Response, typename Request, typename Method>
  absl::StatusOr<Response> Call(Method method, const Request& request) const;

  Way way_;
  std::unique_ptr<v1::EnrolmentService::Stub> stub_;
};

}  // namespace amparo

#include "agents/institution/daemon/broker_channel.h"

#include <utility>

#include "base/error.h"
#include "base/event_log.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/client_certificate.h"
#include "crypto/x509.h"
#include "proto/grpc/credentials.h"

namespace amparo::agent {
namespace {

constexpr int kMessageBytesMax = 4 << 20;
constexpr size_t kCertificateBytesMax = 1 << 20;
constexpr absl::Duration kTryAgainAfter = absl::Hours(1);
constexpr absl::Duration kAlarmBefore = absl::Hours(30 * 24);

absl::Status NotOurs() {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "the broker sent another certificate than was asked for",
                   {.code = "verification_failed"});
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> BrokerChannel::Open() const {
  ASSIGN_OR_RETURN(const std::string certificate,
                   ReadFile(parts_.certificate_file, kCertificateBytesMax));
  return MakeChannel(
      parts_.address,
      MakeClientCredentials({.server_ca = parts_.ca_pem,
                             .key = ToText(parts_.key_pem.Expose()),
                             .certificate = certificate}),
      kMessageBytesMax, parts_.keepalive);
}

// With a certificate that does not fit, the agent could never come back.
absl::Status BrokerChannel::CheckRenewed(const std::string& renewed,
                                         absl::Time end) const {
  const auto member = MemberOfCertificate(renewed, parts_.network);
  const auto renewed_end = CertificateEnd(renewed);
  if (!member.ok() || *member != parts_.member.text() || !renewed_end.ok() ||
      *renewed_end <= end || !CheckIssuedBy(renewed, parts_.ca_pem).ok() ||
      !CheckKeyOfCertificate(AsText(parts_.key_pem.Expose()), renewed).ok())
    return NotOurs();
  return absl::OkStatus();
}

absl::Status BrokerChannel::Renew(const Broker& broker, Alarms& alarms,
                                  const Clock& clock) {
  const absl::Time now = clock.Now();
  ASSIGN_OR_RETURN(const std::string present,
                   ReadFile(parts_.certificate_file, kCertificateBytesMax));
  ASSIGN_OR_RETURN(const absl::Time start, CertificateStart(present));
  ASSIGN_OR_RETURN(const absl::Time end, CertificateEnd(present));
  if (now + kAlarmBefore >= end)
    alarms.Raise("certificate_ends", std::nullopt, now);
  if (now < start + (end - start) * 2 / 3) return absl::OkStatus();
  // A clock that was set back does not put it off.
  if (now < next_try_ && next_try_ - now <= kTryAgainAfter)
    return absl::OkStatus();
  next_try_ = now + kTryAgainAfter;

  ASSIGN_OR_RETURN(const std::string csr,
                   MakeCsr({parts_.key_pem.Copy(), ""}, parts_.network,
                           parts_.member.text()));
  ASSIGN_OR_RETURN(const std::string renewed, broker.renew(csr));
  RETURN_IF_ERROR(CheckRenewed(renewed, end));
  RETURN_IF_ERROR(
      WriteFile(parts_.certificate_file, renewed, FileMode::kPrivate));
  ASSIGN_OR_RETURN(auto channel, Open());
  broker.use(std::move(channel));
  alarms.Settle("certificate_ends", std::nullopt);
  LogEvent("certificate_renewed");
  return absl::OkStatus();
}

}  // namespace amparo::agent

#include "agents/institution/daemon/broker_channel.h"

#include <algorithm>
#include <utility>

#include "agents/institution/daemon/data_dir.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/x509.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/unreached.h"
#include "proto/network/ca_note.h"
#include "proto/network/certificate_request.h"

namespace amparo::agent {
namespace {

constexpr int kMessageBytesMax = 4 << 20;
constexpr size_t kFileBytesMax = 1 << 20;
constexpr absl::Duration kAskEvery = absl::Seconds(15);
constexpr absl::Duration kTryAgainAfter = absl::Hours(1);
constexpr absl::Duration kAlarmBefore = absl::Hours(30 * 24);

// Whether `next` has not come yet. A clock that was set back does not put it
// off.
bool IsEarly(absl::Time now, absl::Time next, absl::Duration interval) {
  return now < next && next - now <= interval;
}

// Of which CA a new certificate would be.
absl::StatusOr<std::string> NewestCa(const NetworkFile& network) {
  return CertificatePem(network.next_ca_der.value_or(network.ca_der));
}

}  // namespace

absl::StatusOr<NetworkFile> BrokerChannel::ReadNetwork() const {
  return ReadNetworkFile(parts_.network_file);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> BrokerChannel::Open() {
  ASSIGN_OR_RETURN(const NetworkFile network, ReadNetwork());
  ASSIGN_OR_RETURN(open_ca_, CaBundle(network.ca_der, network.next_ca_der));
  ASSIGN_OR_RETURN(open_certificate_,
                   ReadFile(parts_.certificate_file, kFileBytesMax));
  return MakeChannel(
      parts_.address,
      MakeClientCredentials({.server_ca = open_ca_,
                             .key = ToText(parts_.key_pem.Expose()),
                             .certificate = open_certificate_}),
      kMessageBytesMax, parts_.keepalive);
}

absl::Status BrokerChannel::Maintain(const Broker& broker, Alarms& alarms,
                                     const Clock& clock) {
  const absl::Time now = clock.Now();
  absl::Status done = FollowCa(broker, alarms, now);
  done.Update(Renew(broker, alarms, now));
  ASSIGN_OR_RETURN(const NetworkFile network, ReadNetwork());
  ASSIGN_OR_RETURN(const std::string ca,
                   CaBundle(network.ca_der, network.next_ca_der));
  ASSIGN_OR_RETURN(const std::string certificate,
                   ReadFile(parts_.certificate_file, kFileBytesMax));
  if (ca == open_ca_ && certificate == open_certificate_) return done;
  ASSIGN_OR_RETURN(auto channel, Open());
  broker.use(std::move(channel));
  next_ask_ = now;  // the broker may learn that this agent has followed
  return done;
}

absl::Status BrokerChannel::FollowCa(const Broker& broker, Alarms& alarms,
                                     absl::Time now) {
  if (IsEarly(now, next_ask_, kAskEvery)) return absl::OkStatus();
  next_ask_ = now + kAskEvery;
  const auto note = broker.ca_note();
  if (note.ok())
    alarms.Settle("broker_ca", std::nullopt);
  else if (IsShutOut(note.status()))
    alarms.Raise("broker_ca", std::nullopt, now);
  // An older broker's CA does not change.
  if (absl::IsUnimplemented(note.status())) return absl::OkStatus();
  RETURN_IF_ERROR(note.status());

  ASSIGN_OR_RETURN(CaNote told,
                   VerifyCaNote(*note, parts_.network, broker.log_keys(), now));
  ASSIGN_OR_RETURN(NetworkFile network, ReadNetwork());
  if (told.number <= network.ca_number) return absl::OkStatus();
  const bool is_other =
      told.ca_der != network.ca_der || told.next_ca_der != network.next_ca_der;
  network.ca_number = told.number;
  network.ca_der = std::move(told.ca_der);
  network.next_ca_der = std::move(told.next_ca_der);
  RETURN_IF_ERROR(WriteFile(parts_.network_file, FormatNetworkFile(network),
                            FileMode::kPublic));
  if (!is_other) return absl::OkStatus();
  LogEvent("ca_followed", {{"number", static_cast<int64_t>(told.number)}});
  next_try_ = now;
  return absl::OkStatus();
}

bool BrokerChannel::IsShutOut(const absl::Status& refusal) const {
  const bool is_unavailable = absl::IsUnavailable(refusal);
  const Unreached why = WhyUnreached(refusal.message());
  if (is_unavailable && why == Unreached::kForeignCertificate) return true;
  // gRPC does not say that the other side took no certificate.
  const bool may_be_refused = absl::IsUnauthenticated(refusal) ||
                              (is_unavailable && (why == Unreached::kSilence ||
                                                  why == Unreached::kNoTls13));
  if (!may_be_refused) return false;
  const auto network = ReadNetwork();
  const auto ca = network.ok() ? NewestCa(*network) : network.status();
  const auto present = ReadFile(parts_.certificate_file, kFileBytesMax);
  return ca.ok() && present.ok() && !CheckIssuedBy(*present, *ca).ok();
}

absl::Status BrokerChannel::Renew(const Broker& broker, Alarms& alarms,
                                  absl::Time now) {
  ASSIGN_OR_RETURN(const std::string present,
                   ReadFile(parts_.certificate_file, kFileBytesMax));
  ASSIGN_OR_RETURN(const absl::Time start, CertificateStart(present));
  ASSIGN_OR_RETURN(const absl::Time end, CertificateEnd(present));
  if (now + kAlarmBefore >= end)
    alarms.Raise("certificate_ends", std::nullopt, now);
  else
    alarms.Settle("certificate_ends", std::nullopt);
  ASSIGN_OR_RETURN(const NetworkFile network, ReadNetwork());
  ASSIGN_OR_RETURN(const std::string ca, NewestCa(network));
  const bool is_of_ca = CheckIssuedBy(present, ca).ok();
  if (is_of_ca && now < start + (end - start) * 2 / 3) return absl::OkStatus();
  if (IsEarly(now, next_try_, kTryAgainAfter)) return absl::OkStatus();
  // One that the network is leaving behind cannot wait for an hour.
  next_try_ = now + (is_of_ca ? kTryAgainAfter : kAskEvery);

  ASSIGN_OR_RETURN(const std::string csr,
                   MakeCsr({parts_.key_pem.Copy(), ""}, parts_.network,
                           parts_.member.text()));
  ASSIGN_OR_RETURN(const std::string renewed, broker.renew(csr));
  RETURN_IF_ERROR(CheckMemberCertificate(
      renewed, ca, parts_.network, parts_.member, parts_.key_pem.Expose()));
  ASSIGN_OR_RETURN(const absl::Time renewed_end, CertificateEnd(renewed));
  if (renewed_end <= (is_of_ca ? end : now))
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "the broker sent a certificate that ends no later",
                     {.code = "verification_failed"});
  RETURN_IF_ERROR(
      WriteFile(parts_.certificate_file, renewed, FileMode::kPrivate));
  alarms.Settle("certificate_ends", std::nullopt);
  LogEvent("certificate_renewed");
  return absl::OkStatus();
}

}  // namespace amparo::agent

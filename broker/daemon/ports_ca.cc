// How the ports go on while the network's CA changes.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "broker/daemon/ca_change.h"
#include "broker/daemon/founding.h"
#include "broker/daemon/ports.h"
#include "proto/grpc/server_probe.h"
#include "proto/network/host_port.h"

namespace amparo::broker {
namespace {

// gRPC looks at the files every second.
constexpr absl::Duration kShownWithin = absl::Seconds(10);
constexpr char kProbeName[] = "broker-itself";

// How this machine reaches what listens at `address`.
std::string ReachedFromHere(const std::string& address) {
  auto parts = ParseHostPort(address);
  if (!parts.ok()) return address;
  if (parts->host == "0.0.0.0") parts->host = "127.0.0.1";
  if (parts->host == "::") parts->host = "::1";
  return FormatHostPort(*parts);
}

}  // namespace

absl::Status Ports::AwaitPorts(const std::string& shown,
                               const std::string& taken) const {
  ASSIGN_OR_RETURN(const NetworkFile network, data_.ReadNetworkFile());
  ASSIGN_OR_RETURN(const DataDir::Cas cas, data_.ReadCas(network));
  const TlsKeyPair& ca =
      cas.current.certificate_pem == taken ? cas.current : *cas.next;
  // Of nobody's name, and forgotten when this is over.
  ASSIGN_OR_RETURN(const TlsKeyPair key, MakeTlsKey());
  ASSIGN_OR_RETURN(const std::string csr,
                   MakeCsr(key, network.network, kProbeName));
  const absl::Time now = clock_.Now();
  ASSIGN_OR_RETURN(
      const std::string certificate,
      IssueMemberCertificate(ca, csr, network.network, kProbeName,
                             now - absl::Hours(1), now + absl::Minutes(1)));
  const ClientTls member{shown, ToText(key.private_key_pem.Expose()),
                         certificate};
  if (Connects(ReachedFromHere(where_.listen.members), member, kShownWithin) &&
      Connects(ReachedFromHere(where_.listen.enrol), {shown, "", ""},
               kShownWithin))
    return absl::OkStatus();
  return MakeError(absl::StatusCode::kUnavailable,
                   "the ports do not go on with the new certificates",
                   {.code = "broker_unreachable",
                    .hint = "the same command again goes on; so does a restart "
                            "of the broker"});
}

absl::Status Ports::RenewServerCertificate() {
  MutexLock lock(certificate_);
  return amparo::broker::RenewServerCertificate(data_, config_, clock_);
}

absl::StatusOr<v1::NewCaResponse> Ports::NewCa() {
  ASSIGN_OR_RETURN(NetworkFile network, data_.ReadNetworkFile());
  if (!network.next_ca_der.has_value() && !ca_.Tells(network))
    RETURN_IF_ERROR(ShowOnly(network));
  // One that nobody was told of was made by a call that failed then.
  if (!network.next_ca_der.has_value() || ca_.Tells(network)) {
    ASSIGN_OR_RETURN(network, MakeNextCa(data_, clock_));
  }
  RETURN_IF_ERROR(ShowNextCa(network));
  v1::NewCaResponse response;
  response.set_sha256(ToText(Sha256(*network.next_ca_der).bytes()));
  return response;
}

absl::Status Ports::ShowNextCa(const NetworkFile& network) {
  RETURN_IF_ERROR(WriteTrustedCas(data_, network));
  // Members come with its certificates when they are told of it.
  ASSIGN_OR_RETURN(const std::string ca_pem, CertificatePem(network.ca_der));
  ASSIGN_OR_RETURN(const std::string next_pem,
                   CertificatePem(*network.next_ca_der));
  RETURN_IF_ERROR(AwaitPorts(ca_pem, next_pem));
  peers_.TakeOnly({ca_pem, next_pem});
  RETURN_IF_ERROR(ca_.Reload());
  LogEvent("ca_made");
  return absl::OkStatus();
}

absl::StatusOr<v1::SwitchCaResponse> Ports::SwitchCa(bool at_once) {
  ASSIGN_OR_RETURN(NetworkFile network, data_.ReadNetworkFile());
  const bool goes_on = !network.next_ca_der.has_value() && !ca_.Tells(network);
  // Nobody can have followed what nobody was told.
  if (network.next_ca_der.has_value() && !ca_.Tells(network) && !at_once)
    RETURN_IF_ERROR(ShowNextCa(network));
  v1::SwitchCaResponse response;
  for (const MemberId& member : ca_.Behind(
           enrolment_.Joined(), network.next_ca_der.value_or(network.ca_der)))
    response.add_behind(member.text());
  if (!goes_on) {
    if (network.next_ca_der && response.behind_size() > 0 && !at_once)
      return MakeError(
          absl::StatusCode::kFailedPrecondition,
          absl::StrCat("members that have not followed yet: ",
                       absl::StrJoin(response.behind(), " ")),
          {.code = "invalid_state",
           .field = "--data",
           .hint = "wait until their agents run; --at-once shuts them out "
                   "until they reconnect with a new invitation"});
    ASSIGN_OR_RETURN(network, SwitchToNextCa(data_, clock_));
  }
  RETURN_IF_ERROR(ShowOnly(network));
  response.set_sha256(ToText(Sha256(network.ca_der).bytes()));
  return response;
}

absl::Status Ports::ShowOnly(const NetworkFile& network) {
  ASSIGN_OR_RETURN(const std::string ca_pem, CertificatePem(network.ca_der));
  // On connections that were made under the old one: calls, then streams.
  peers_.TakeOnly({ca_pem});
  const auto again = [](const MemberId&) {
    return MakeError(absl::StatusCode::kUnavailable, "the network's ca changed",
                     {.code = "broker_unreachable",
                      .hint = "connect again",
                      .retryable = true});
  };
  mailbox_streams_.EndWhere(again);
  log_streams_.EndWhere(again);
  RETURN_IF_ERROR(WriteTrustedCas(data_, network));
  RETURN_IF_ERROR(RenewServerCertificate());
  // Members drop the old one when they are told: not before the ports have.
  RETURN_IF_ERROR(AwaitPorts(ca_pem, ca_pem));
  RETURN_IF_ERROR(ca_.Reload());
  LogEvent("ca_switched");
  return absl::OkStatus();
}

}  // namespace amparo::broker

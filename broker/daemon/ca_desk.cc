#include "broker/daemon/ca_desk.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/status.h"
#include "broker/rpc/member_certificate.h"
#include "proto/envelope/limits.h"
#include "proto/network/ca_note.h"
#include "proto/network/certificate_request.h"

namespace amparo::broker {
namespace {

absl::Status NotByItsIdentity() {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "a certificate of another ca takes a request by the "
                   "member's identity key",
                   {.code = "verification_failed"});
}

}  // namespace

CaDesk::CaDesk(const DataDir& data, const NetworkFile& network,
               DataDir::Cas cas, const DataDir::LogKeys& log_keys,
               const Directory& directory, const Clock& clock)
    : data_(data), log_keys_(log_keys), directory_(directory), clock_(clock) {
  Take(network, std::move(cas));
}

void CaDesk::Take(const NetworkFile& network, DataDir::Cas cas) {
  std::vector<const SigningKey*> keys = {&log_keys_.key};
  if (log_keys_.second.has_value()) keys.push_back(&*log_keys_.second);
  auto note =
      SignCaNote({network.network, std::max<uint64_t>(1, network.ca_number),
                  network.ca_der, network.next_ca_der},
                 keys);
  // Names and certificates were checked when they were read.
  auto state = std::make_shared<const State>(
      State{network, std::move(cas), note.ok() ? *std::move(note) : ""});
  MutexLock lock(mutex_);
  state_ = std::move(state);
}

std::shared_ptr<const CaDesk::State> CaDesk::Now() const {
  MutexLock lock(mutex_);
  return state_;
}

absl::Status CaDesk::Reload() {
  ASSIGN_OR_RETURN(const NetworkFile network, data_.ReadNetworkFile());
  ASSIGN_OR_RETURN(DataDir::Cas cas, data_.ReadCas(network));
  Take(network, std::move(cas));
  return absl::OkStatus();
}

absl::StatusOr<std::string> CaDesk::Certify(const MemberId& member,
                                            absl::string_view csr_pem) const {
  const auto state = Now();
  return CertifyMember(state->newest(), csr_pem, state->network.network, member,
                       clock_.Now());
}

absl::StatusOr<std::string> CaDesk::Renew(const MemberId& member,
                                          absl::string_view certificate_pem,
                                          absl::string_view csr_pem,
                                          absl::string_view request) const {
  const absl::Time now = clock_.Now();
  const auto network = directory_.Current();
  ASSIGN_OR_RETURN(const amparo::Member* const active,
                   network->Active(member, now));
  if (!CheckIssuedBy(certificate_pem, Now()->newest().certificate_pem).ok()) {
    if (request.empty() || !active->identity_key.has_value())
      return NotByItsIdentity();
    const auto asked = VerifyCertificateRequest(request, *active->identity_key);
    if (!asked.ok() || asked->net != network->charter->network_id ||
        asked->member != member || asked->csr != Sha256(AsBytes(csr_pem)))
      return NotByItsIdentity();
    if (asked->at < now - kCreatedBefore || asked->at > now + kCreatedAfter)
      return MakeError(
          absl::StatusCode::kPermissionDenied,
          "the request for a certificate is of another time",
          {.code = "verification_failed",
           .hint = "compare this machine's clock and the broker's"});
  }
  return Certify(member, csr_pem);
}

std::string CaDesk::Note() const { return Now()->note; }

void CaDesk::Met(const MemberId& member, absl::string_view certificate_pem) {
  const auto state = Now();
  if (!CheckIssuedBy(certificate_pem, state->newest().certificate_pem).ok())
    return;
  const auto ca = CertificateHash(state->newest().certificate_pem);
  if (!ca.ok()) return;
  MutexLock lock(mutex_);
  met_.insert_or_assign(member, *ca);
}

std::vector<MemberId> CaDesk::Behind() const {
  const auto state = Now();
  const auto network = directory_.Current();
  std::vector<MemberId> behind;
  const auto newest = CertificateHash(state->newest().certificate_pem);
  if (!network->charter || !newest.ok()) return behind;
  MutexLock lock(mutex_);
  for (const amparo::Member& member : network->charter->charter.members) {
    if (member.status != MemberStatus::kActive) continue;
    const auto met = met_.find(member.id);
    if (met == met_.end() || met->second != *newest)
      behind.push_back(member.id);
  }
  return behind;
}

void CaDesk::FillIn(NetworkFile& network) const {
  const auto state = Now();
  network.ca_der = state->network.ca_der;
  network.next_ca_der = state->network.next_ca_der;
  network.ca_number = state->network.ca_number;
}

}  // namespace amparo::broker

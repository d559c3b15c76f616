#include "broker/daemon/ca_desk.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "broker/rpc/member_certificate.h"
#include "proto/network/ca_note.h"

namespace amparo::broker {

CaDesk::CaDesk(const DataDir& data, const NetworkFile& network,
               DataDir::Cas cas, const DataDir::LogKeys& log_keys,
               const Clock& clock)
    : data_(data), log_keys_(log_keys), clock_(clock) {
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

std::vector<MemberId> CaDesk::Behind(const std::vector<MemberId>& members,
                                     ByteView ca_der) const {
  const Digest ca = Sha256(ca_der);
  std::vector<MemberId> behind;
  MutexLock lock(mutex_);
  for (const MemberId& member : members) {
    const auto met = met_.find(member);
    if (met == met_.end() || met->second != ca) behind.push_back(member);
  }
  return behind;
}

bool CaDesk::Tells(const NetworkFile& network) const {
  return Now()->network.ca_number == network.ca_number;
}

void CaDesk::FillIn(NetworkFile& network) const {
  const auto state = Now();
  network.ca_der = state->network.ca_der;
  network.next_ca_der = state->network.next_ca_der;
  network.ca_number = state->network.ca_number;
}

}  // namespace amparo::broker

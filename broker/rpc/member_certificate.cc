#include "broker/rpc/member_certificate.h"

namespace amparo::broker {
namespace {

constexpr absl::Duration kLife = absl::Hours(24 * 730);
// A new certificate counts at once where clocks are a little behind.
constexpr absl::Duration kClockSlack = absl::Hours(48);
constexpr size_t kCsrBytesMax = 8 << 10;

}  // namespace

absl::StatusOr<std::string> CertifyMember(const TlsKeyPair& ca,
                                          absl::string_view csr_pem,
                                          absl::string_view network,
                                          const MemberId& member,
                                          absl::Time now) {
  if (csr_pem.size() > kCsrBytesMax)
    return absl::InvalidArgumentError("a request that is too large");
  return IssueMemberCertificate(ca, csr_pem, network, member.text(),
                                now - kClockSlack, now + kLife);
}

}  // namespace amparo::broker

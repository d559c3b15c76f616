#include "broker/rpc/peer.h"

#include <grpc/grpc_security_constants.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/error.h"
#include "crypto/x509.h"

namespace amparo::broker {
namespace {

// Certificates that are remembered: of all members, several times over.
constexpr size_t kTakenMax = 4096;

absl::Status Refused() {
  return MakeError(
      absl::StatusCode::kUnauthenticated, "no certificate of this network",
      {.code = "unknown_member",
       .expected = "a client certificate of the network's CA",
       .hint = "ask for a new invitation: reconnect keeps keys and cases"});
}

}  // namespace

std::string PeerCertificate(const grpc::AuthContext& auth) {
  const auto found = auth.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  return found.size() == 1 ? std::string(found[0].data(), found[0].size()) : "";
}

absl::StatusOr<MemberId> Peers::Member(const grpc::AuthContext& auth) const {
  const std::vector<grpc::string_ref> names =
      auth.FindPropertyValues(GRPC_PEER_URI_PROPERTY_NAME);
  if (!auth.IsPeerAuthenticated() || names.size() != 1) return Refused();
  absl::string_view name(names[0].data(), names[0].size());
  if (!absl::ConsumePrefix(&name,
                           absl::StrCat("spiffe://", network_, "/member/")))
    return Refused();
  auto member = MemberId::Parse(name);
  if (!member.ok()) return Refused();
  if (is_narrow_ && !IsTaken(PeerCertificate(auth))) return Refused();
  return member;
}

void Peers::TakeOnly(std::vector<std::string> cas) {
  auto kept = std::make_shared<const std::vector<std::string>>(std::move(cas));
  MutexLock lock(mutex_);
  cas_ = std::move(kept);
  taken_.clear();
  is_narrow_ = true;
}

bool Peers::IsTaken(const std::string& certificate_pem) const {
  const Digest name = Sha256(AsBytes(certificate_pem));
  while (true) {
    std::shared_ptr<const std::vector<std::string>> cas;
    {
      MutexLock lock(mutex_);
      if (taken_.count(name) > 0) return true;
      cas = cas_;
    }
    const bool is_of_one =
        std::any_of(cas->begin(), cas->end(), [&](const std::string& ca) {
          return CheckIssuedBy(certificate_pem, ca).ok();
        });
    if (!is_of_one) return false;
    MutexLock lock(mutex_);
    if (cas != cas_) continue;  // by CAs that are taken no more
    if (taken_.size() >= kTakenMax) taken_.clear();
    taken_.insert(name);
    return true;
  }
}

}  // namespace amparo::broker

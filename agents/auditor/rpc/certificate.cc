#include "agents/auditor/rpc/certificate.h"

#include <grpcpp/client_context.h>

#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "agents/auditor/rpc/kept_ca.h"
#include "agents/auditor/rpc/keys.h"
#include "amparo/v1/broker.grpc.pb.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/x509.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/status.h"
#include "proto/network/ca_note.h"
#include "proto/network/certificate_request.h"

namespace amparo::auditor {
namespace {

constexpr size_t kFileBytesMax = 64 << 10;
constexpr int kMessageBytesMax = 1 << 20;

// The members' port, with what is in the files now.
class Port {
 public:
  static absl::StatusOr<Port> Open(const Profile& profile) {
    ClientTls tls;
    ASSIGN_OR_RETURN(tls.server_ca, ReadFile(profile.ca, kFileBytesMax));
    ASSIGN_OR_RETURN(tls.certificate, ReadFile(profile.cert, kFileBytesMax));
    ASSIGN_OR_RETURN(tls.key, ReadFile(profile.key, kFileBytesMax));
    return Port(
        v1::RelayService::NewStub(MakeChannel(
            profile.broker, MakeClientCredentials(tls), kMessageBytesMax)),
        profile.timeout);
  }
  absl::StatusOr<std::string> CaNote() const {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::CaResponse response;
    RETURN_IF_ERROR(FromGrpc(stub_->GetCa(&context, {}, &response)));
    return response.note();
  }
  absl::StatusOr<std::string> Renew(const std::string& csr,
                                    const std::string& request) const {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::RenewCertificateRequest message;
    message.set_csr_pem(csr);
    message.set_request(request);
    v1::RenewCertificateResponse response;
    RETURN_IF_ERROR(
        FromGrpc(stub_->RenewCertificate(&context, message, &response)));
    return response.certificate_pem();
  }

 private:
  Port(std::unique_ptr<v1::RelayService::Stub> stub, absl::Duration timeout)
      : stub_(std::move(stub)), timeout_(timeout) {}
  void SetDeadline(grpc::ClientContext& context) const {
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
  }

  std::unique_ptr<v1::RelayService::Stub> stub_;
  absl::Duration timeout_;
};

// The newest CA, PEM. An older word of the log's key than one taken before
// changes nothing.
absl::StatusOr<std::string> FollowCa(const Port& port, const Profile& profile,
                                     const std::string& folder,
                                     const ProvenNetwork& network,
                                     absl::Time now) {
  ASSIGN_OR_RETURN(const std::string note, port.CaNote());
  ASSIGN_OR_RETURN(CaNote told,
                   VerifyCaNote(note, profile.network, network.log_keys, now));
  const auto known = KeptCa(folder);
  if (known.ok() && known->number >= told.number)
    told = *known;
  else
    RETURN_IF_ERROR(KeepCa(folder, profile.ca, told, note));
  return CertificatePem(told.next_ca_der.value_or(told.ca_der));
}

}  // namespace

absl::StatusOr<bool> KeepCertificate(const Profile& profile,
                                     const std::string& folder,
                                     const ProvenNetwork& network,
                                     const Clock& clock) {
  ASSIGN_OR_RETURN(const Port port, Port::Open(profile));
  ASSIGN_OR_RETURN(const std::string ca,
                   FollowCa(port, profile, folder, network, clock.Now()));
  ASSIGN_OR_RETURN(const std::string present,
                   ReadFile(profile.cert, kFileBytesMax));
  ASSIGN_OR_RETURN(const absl::Time start, CertificateStart(present));
  ASSIGN_OR_RETURN(const absl::Time end, CertificateEnd(present));
  const absl::Time now = clock.Now();
  if (CheckIssuedBy(present, ca).ok() && now < start + (end - start) * 2 / 3)
    return false;

  ASSIGN_OR_RETURN(const Keys keys, PrepareKeys(folder));
  ASSIGN_OR_RETURN(const TlsKeyPair tls, PrepareTls(folder));
  ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(profile.member));
  ASSIGN_OR_RETURN(const std::string csr,
                   MakeCsr(tls, profile.network, profile.member));
  const std::string request =
      SignCertificateRequest({.net = network.network_id,
                              .member = member,
                              .csr = Sha256(AsBytes(csr)),
                              .at = TimeFromUnix(UnixSeconds(now))},
                             keys.identity);
  ASSIGN_OR_RETURN(const std::string renewed, port.Renew(csr, request));
  RETURN_IF_ERROR(CheckMemberCertificate(renewed, ca, profile.network, member,
                                         tls.private_key_pem.Expose()));
  RETURN_IF_ERROR(WriteFile(profile.cert, renewed, FileMode::kPublic));
  // With the new one, so that the broker learns that this auditor has followed.
  ASSIGN_OR_RETURN(const Port again, Port::Open(profile));
  RETURN_IF_ERROR(again.CaNote().status());
  return true;
}

}  // namespace amparo::auditor

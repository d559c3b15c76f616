#include "base/files.h"
#include "crypto/x509.h"
#include "proto/grpc/credentials.h"
#include "tests/integration/agents/api_fixture.h"

// Who is who: the uid of a socket's caller, the certificate of a system's.

namespace amparo::agent {
namespace {

class SocketCallers : public ApiTest {
 protected:
  SocketCallers() : stub_(channel_) {}
  absl::StatusOr<v1::StatusResponse> StatusAs(const std::string& handle) {
    return Call(stub_, &v1::AgentService::Stub::Status, v1::StatusRequest(),
                handle);
  }
  v1::AgentService::Stub stub_;
};

TEST_F(SocketCallers, AreOfficersOfTheirUid) {
  EXPECT_EQ(VALUE_OF(StatusAs("me")).officer().handle(), "me");
  EXPECT_EQ(VALUE_OF(StatusAs("root")).officer().handle(), "root");
}

TEST_F(SocketCallers, AreNobodyByAnothersHandle) {
  // "ana" is an officer here, for another uid.
  EXPECT_THAT(StatusAs("ana"), HasErrorCode("not_an_officer"));
  EXPECT_THAT(StatusAs("nobody"), HasErrorCode("not_an_officer"));
}

TEST_F(SocketCallers, MustSayWhoTheyAreWhenThereAreSeveral) {
  EXPECT_THAT(StatusAs(""), HasErrorCode("not_an_officer"));
}

// The same services on a TLS port.
class CertificateCallersTest : public testing::Test {
 protected:
  CertificateCallersTest() : api_(world_, "ong") {
    const absl::Time from = absl::Now() - absl::Hours(1);
    const absl::Time until = absl::Now() + absl::Hours(1);
    ca_ = VALUE_OF(MakeCa("net", from, until));
    const TlsKeyPair server =
        VALUE_OF(IssueServerCertificate(ca_, {"localhost"}, from, until));
    Keep("ca.pem", ca_.certificate_pem);
    Keep("server.pem", server.certificate_pem);
    Keep("server.key", AsText(server.private_key_pem.Expose()));
    services_ = std::make_unique<AgentServices>(
        std::make_unique<CertificateCallers>(api_.agent().officers()),
        api_.parts());
    grpc::ServerBuilder builder;
    services_->RegisterWith(builder);
    builder.AddListeningPort(
        "localhost:0",
        MakeServerCredentials({folder_ / "server.key", folder_ / "server.pem",
                               folder_ / "ca.pem"}),
        &port_);
    server_ = builder.BuildAndStart();
  }

  void Keep(const std::string& name, absl::string_view content) {
    EXPECT_OK(WriteFile(folder_ / name, content, FileMode::kPrivate));
  }
  TlsKeyPair NewClient(const std::string& name) {
    TlsKeyPair key = VALUE_OF(MakeTlsKey());
    key.certificate_pem = VALUE_OF(IssueMemberCertificate(
        ca_, VALUE_OF(MakeCsr(key, "net", name)), "net", name,
        absl::Now() - absl::Hours(1), absl::Now() + absl::Hours(1)));
    return key;
  }
  absl::StatusOr<v1::StatusResponse> StatusWith(const TlsKeyPair& key,
                                                const std::string& handle) {
    v1::AgentService::Stub stub(
        MakeChannel(absl::StrCat("localhost:", port_),
                    MakeClientCredentials({ca_.certificate_pem,
                                           ToText(key.private_key_pem.Expose()),
                                           key.certificate_pem}),
                    1 << 20));
    v1::StatusResponse response;
    const auto context = CallAs(handle);
    context->set_wait_for_ready(true);
    const grpc::Status status =
        stub.Status(context.get(), v1::StatusRequest(), &response);
    if (!status.ok()) return FromGrpc(status);
    return response;
  }

  AgentWorld world_;
  ApiOf api_;
  ScratchFolder folder_;
  TlsKeyPair ca_;
  std::unique_ptr<AgentServices> services_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(CertificateCallersTest, AreKnownByTheirCertificateAlone) {
  const TlsKeyPair known = NewClient("system");
  const TlsKeyPair stranger = NewClient("system");  // same name, other key
  VALUE_OF(api_.agent().officers().Add(
      VALUE_OF(Handle::Parse("records")), {Role::kItSystem}, {},
      VALUE_OF(CertificateHash(known.certificate_pem))));
  EXPECT_EQ(VALUE_OF(StatusWith(known, "records")).officer().handle(),
            "records");
  EXPECT_EQ(VALUE_OF(StatusWith(known, "")).officer().handle(), "records");
  EXPECT_THAT(StatusWith(stranger, "records"), HasErrorCode("not_an_officer"));
  // A handle of the socket's officers is none here.
  EXPECT_THAT(StatusWith(known, "ana"), HasErrorCode("not_an_officer"));
}

}  // namespace
}  // namespace amparo::agent

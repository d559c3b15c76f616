#include "agents/institution/rpc/systems_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "proto/grpc/credentials.h"
#include "tests/integration/agents/api_fixture.h"
#include "tests/support/system_certificate.h"

// Who gets through the agent's port for IT systems, and who does not.

namespace amparo::agent {
namespace {

class SystemsPortTest : public testing::Test {
 protected:
  SystemsPortTest() : api_(world_, "ong") {
    EXPECT_OK(AllowOnlyTls13());
    const absl::Time from = absl::Now() - absl::Hours(1);
    const absl::Time until = absl::Now() + absl::Hours(1);
    const TlsKeyPair ca = VALUE_OF(MakeCa("ong", from, until));
    ca_ = ca.certificate_pem;
    port_ = VALUE_OF(SystemsPort::Listen(
        "127.0.0.1:0",
        VALUE_OF(IssueServerCertificate(ca, {"127.0.0.1"}, from, until)),
        api_.parts()));
  }

  OfficerBook& officers() { return api_.agent().officers(); }
  Officer Register(const SystemCertificate& system,
                   const std::string& handle = "records") {
    return VALUE_OF(
        officers().Add(VALUE_OF(Handle::Parse(handle)), {Role::kItSystem}, {},
                       VALUE_OF(ReadClientCertificate(system.certificate))));
  }
  std::shared_ptr<grpc::Channel> ChannelOf(const std::string& key,
                                           const std::string& certificate) {
    return MakeChannel(absl::StrCat("127.0.0.1:", port_->port()),
                       MakeClientCredentials({ca_, key, certificate}), 1 << 20);
  }
  static absl::StatusOr<std::string> HandleOn(
      const std::shared_ptr<grpc::Channel>& channel,
      const std::string& claimed = "") {
    v1::AgentService::Stub stub(channel);
    v1::StatusResponse response;
    const auto context = CallAs(claimed);
    const grpc::Status status =
        stub.Status(context.get(), v1::StatusRequest(), &response);
    if (!status.ok()) return FromGrpc(status);
    return response.officer().handle();
  }
  absl::StatusOr<std::string> HandleOf(const SystemCertificate& system,
                                       const std::string& claimed = "") {
    return HandleOn(ChannelOf(system.key, system.certificate), claimed);
  }
  // How the connection of somebody ends who is turned away in the handshake.
  static auto TurnedAway() { return StatusIs(absl::StatusCode::kUnavailable); }

  // A plain OpenSSL client of this version and none else, up to the first byte
  // that the server sends beyond its handshake.
  bool Speaks(int version, const SystemCertificate& system) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(port_->port()));
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    BIO* bio = BIO_new_mem_buf(system.certificate.data(),
                               static_cast<int>(system.certificate.size()));
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    bio =
        BIO_new_mem_buf(system.key.data(), static_cast<int>(system.key.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    EXPECT_EQ(SSL_CTX_use_certificate(context, certificate), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context, key), 1);
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    const unsigned char h2[] = {2, 'h', '2'};
    SSL_set_alpn_protos(ssl, h2, sizeof h2);
    char byte = 0;
    const bool done = SSL_connect(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1;
    SSL_free(ssl);
    SSL_CTX_free(context);
    X509_free(certificate);
    EVP_PKEY_free(key);
    close(fd);
    return done;
  }

  AgentWorld world_;
  ApiOf api_;
  std::string ca_;
  std::unique_ptr<SystemsPort> port_;
};

TEST_F(SystemsPortTest, ServesASystemByItsCertificate) {
  for (const char* kind : {"P-256", "ED25519", "RSA-2048"}) {
    SystemCertificateOptions options;
    options.key = kind;
    const SystemCertificate system = MakeSystemCertificate(options);
    std::string handle = std::string("system-") + kind[0];
    handle.back() = static_cast<char>(std::tolower(handle.back()));
    Register(system, handle);
    EXPECT_EQ(VALUE_OF(HandleOf(system)), handle) << kind;
    EXPECT_EQ(VALUE_OF(HandleOf(system, handle)), handle) << kind;
  }
}

TEST_F(SystemsPortTest, ListsTheInbox) {
  const SystemCertificate system = MakeSystemCertificate();
  Register(system);
  v1::ReferralService::Stub stub(ChannelOf(system.key, system.certificate));
  v1::InboxResponse inbox;
  const auto context = CallAs("");
  EXPECT_TRUE(stub.Inbox(context.get(), v1::InboxRequest(), &inbox).ok());
}

TEST_F(SystemsPortTest, AttackerWithoutACertificateIsTurnedAway) {
  EXPECT_THAT(HandleOn(ChannelOf("", "")), TurnedAway());
}

TEST_F(SystemsPortTest, AttackerWithACertificateThatNobodyAddedIsTurnedAway) {
  EXPECT_THAT(HandleOf(MakeSystemCertificate()), TurnedAway());
}

TEST_F(SystemsPortTest, AttackerWithTheSystemsNameIsTurnedAway) {
  Register(MakeSystemCertificate());
  const SystemCertificate same_name = MakeSystemCertificate();
  EXPECT_THAT(HandleOf(same_name), TurnedAway());
  EXPECT_THAT(HandleOf(same_name, "records"), TurnedAway());
}

TEST_F(SystemsPortTest, AttackerWithAStolenCertificateLacksItsKey) {
  const SystemCertificate system = MakeSystemCertificate();
  Register(system);
  EXPECT_OK(HandleOf(system));
  EXPECT_THAT(
      HandleOn(ChannelOf(KeyOfAThief(system.certificate), system.certificate)),
      TurnedAway());
}

// A certificate made by `openssl req -x509` says of itself that it is a CA. It
// vouches for nobody.
TEST_F(SystemsPortTest, AttackerWhomASystemCertifiedIsTurnedAway) {
  const TlsKeyPair ca = VALUE_OF(MakeCa("records", absl::Now() - absl::Hours(1),
                                        absl::Now() + absl::Hours(48)));
  VALUE_OF(officers().Add(
      VALUE_OF(Handle::Parse("records")), {Role::kItSystem}, {},
      ClientCertificate{VALUE_OF(CertificateHash(ca.certificate_pem)),
                        absl::UnixEpoch(), absl::Now() + absl::Hours(48)}));
  TlsKeyPair other = VALUE_OF(MakeTlsKey());
  other.certificate_pem = VALUE_OF(IssueMemberCertificate(
      ca, VALUE_OF(MakeCsr(other, "net", "records")), "net", "records",
      absl::Now() - absl::Hours(1), absl::Now() + absl::Hours(1)));
  const std::string key = ToText(other.private_key_pem.Expose());
  EXPECT_THAT(HandleOn(ChannelOf(key, other.certificate_pem)), TurnedAway());
  EXPECT_THAT(
      HandleOn(ChannelOf(key, other.certificate_pem + ca.certificate_pem)),
      TurnedAway());
}

TEST_F(SystemsPortTest, AttackerWithTheHandleOfAnOfficerIsNobody) {
  const SystemCertificate system = MakeSystemCertificate();
  Register(system);
  Register(MakeSystemCertificate(), "other");
  EXPECT_THAT(HandleOf(system, "ana"), HasErrorCode("not_an_officer"));
  EXPECT_THAT(HandleOf(system, "other"), HasErrorCode("not_an_officer"));
}

TEST_F(SystemsPortTest, TakesACertificateInItsTimeOnly) {
  SystemCertificateOptions options;
  options.from = world_.clock().Now() + absl::Hours(1);
  options.until = world_.clock().Now() + absl::Hours(2);
  const SystemCertificate system = MakeSystemCertificate(options);
  Register(system);
  EXPECT_THAT(HandleOf(system), TurnedAway());
  world_.clock().Advance(absl::Minutes(90));
  const auto open = ChannelOf(system.key, system.certificate);
  EXPECT_OK(HandleOn(open));
  world_.clock().Advance(absl::Hours(1));
  EXPECT_THAT(HandleOf(system), TurnedAway());
  // The connection was made in time; the call was not.
  EXPECT_THAT(HandleOn(open), HasErrorCode("not_an_officer"));
}

TEST_F(SystemsPortTest, ARemovedSystemIsOutAtOnce) {
  const SystemCertificate system = MakeSystemCertificate();
  Register(system);
  const auto open = ChannelOf(system.key, system.certificate);
  ASSERT_OK(HandleOn(open));
  ASSERT_OK(officers().Remove(VALUE_OF(Handle::Parse("records"))));
  EXPECT_THAT(HandleOn(open), HasErrorCode("not_an_officer"));
  EXPECT_THAT(HandleOf(system), TurnedAway());
}

TEST_F(SystemsPortTest, ARemovedSystemWatchesNothingAnyMore) {
  const SystemCertificate system = MakeSystemCertificate();
  Register(system);
  v1::ReferralService::Stub stub(ChannelOf(system.key, system.certificate));
  const auto context = CallAs("");
  const auto watch = stub.Watch(context.get(), v1::WatchRequest());
  v1::WatchResponse change;
  ASSERT_TRUE(watch->Read(&change));
  ASSERT_OK(officers().Remove(VALUE_OF(Handle::Parse("records"))));
  VALUE_OF(api_.agent().consents().Record(api_.agent().officer(),
                                          kExampleConsentForm, {}, ""));
  EXPECT_FALSE(watch->Read(&change));
  EXPECT_THAT(FromGrpc(watch->Finish()), HasErrorCode("not_an_officer"));
}

TEST_F(SystemsPortTest, SpeaksTls13AndNothingOlder) {
  const SystemCertificate system = MakeSystemCertificate();
  Register(system);
  for (const int older : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION})
    EXPECT_FALSE(Speaks(older, system)) << older;
  EXPECT_TRUE(Speaks(TLS1_3_VERSION, system));
  EXPECT_FALSE(Speaks(TLS1_3_VERSION, MakeSystemCertificate()));
}

TEST_F(SystemsPortTest, SaysWhichAddressItCannotHave) {
  const auto taken = SystemsPort::Listen(
      absl::StrCat("127.0.0.1:", port_->port()),
      VALUE_OF(IssueServerCertificate(
          VALUE_OF(MakeCa("ong", absl::Now() - absl::Hours(1),
                          absl::Now() + absl::Hours(1))),
          {"127.0.0.1"}, absl::Now() - absl::Hours(1),
          absl::Now() + absl::Minutes(1))),
      api_.parts());
  EXPECT_THAT(taken, HasErrorCode("config"));
}

}  // namespace
}  // namespace amparo::agent

#include <arpa/inet.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "broker/daemon/config.h"
#include "broker/daemon/founding.h"
#include "broker/rpc/server.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "proto/grpc/credentials.h"
#include "tests/support/broker_server.h"
#include "tests/support/relay_client.h"
#include "tests/support/status_matchers.h"

// Who gets through the two ports, and who does not.

namespace amparo::broker {
namespace {

using absl::StatusCode;

TlsKeyPair MemberKey(const TlsKeyPair& ca, const std::string& network,
                     const std::string& member,
                     absl::Time until = absl::Now() + absl::Hours(1)) {
  TlsKeyPair key = VALUE_OF(MakeTlsKey());
  key.certificate_pem = VALUE_OF(IssueMemberCertificate(
      ca, VALUE_OF(MakeCsr(key, network, member)), network, member,
      absl::Now() - absl::Hours(2), until));
  return key;
}

int ConnectTo(const HostPort& where) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(where.port);
  inet_pton(AF_INET, where.host.c_str(), &to.sin_addr);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return fd;
}

// A plain OpenSSL client of version `version` and none else.
bool Handshakes(const std::string& address, int version) {
  const int fd = ConnectTo(VALUE_OF(ParseHostPort(address)));
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  const unsigned char h2[] = {2, 'h', '2'};
  SSL_set_alpn_protos(ssl, h2, sizeof h2);
  const bool done = SSL_connect(ssl) == 1;
  SSL_free(ssl);
  SSL_CTX_free(context);
  close(fd);
  return done;
}

class TlsTest : public testing::Test {
 protected:
  TlsTest() { broker.SetUp({"ong"}); }

  // What a caller with this key pair gets for a call of its own.
  absl::Status CallWith(const TlsKeyPair* key) {
    v1::LogService::Stub stub(broker.ChannelWith(key));
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
    v1::CheckpointResponse response;
    return FromGrpc(stub.GetCheckpoint(&context, {}, &response));
  }

  BrokerServer broker;
};

TEST_F(TlsTest, ServesAMemberWithItsCertificate) {
  const TlsKeyPair key =
      MemberKey(VALUE_OF(broker.data().ReadCas(broker.network_file())).current,
                broker.network(), "ong");
  EXPECT_OK(CallWith(&key));
}

TEST_F(TlsTest, RefusesACallerWithoutACertificate) {
  EXPECT_THAT(CallWith(nullptr), StatusIs(StatusCode::kUnavailable));
}

TEST_F(TlsTest, RefusesACertificateOfAnotherCa) {
  const TlsKeyPair foreign =
      VALUE_OF(MakeCa(broker.network(), absl::Now() - absl::Hours(1),
                      absl::Now() + absl::Hours(1)));
  const TlsKeyPair key = MemberKey(foreign, broker.network(), "ong");
  EXPECT_THAT(CallWith(&key), StatusIs(StatusCode::kUnavailable));
}

TEST_F(TlsTest, RefusesACertificateThatHasExpired) {
  const TlsKeyPair key =
      MemberKey(VALUE_OF(broker.data().ReadCas(broker.network_file())).current,
                broker.network(), "ong", absl::Now() - absl::Hours(1));
  EXPECT_THAT(CallWith(&key), StatusIs(StatusCode::kUnavailable));
}

TEST_F(TlsTest, RefusesTheServersOwnCertificateAsAClients) {
  TlsKeyPair key;
  key.private_key_pem = VALUE_OF(ReadSecretFile(broker.data().server_key()));
  key.certificate_pem =
      VALUE_OF(ReadFile(broker.data().server_certificate(), 1 << 16));
  EXPECT_FALSE(CallWith(&key).ok());
}

// Whatever else this CA ever signed.
TEST_F(TlsTest, RefusesACertificateForAnotherNetwork) {
  const TlsKeyPair key =
      MemberKey(VALUE_OF(broker.data().ReadCas(broker.network_file())).current,
                "other-network", "ong");
  const absl::Status refused = CallWith(&key);
  EXPECT_THAT(refused, StatusIs(StatusCode::kUnauthenticated));
  EXPECT_EQ(ErrorCodeOf(refused), "unknown_member");
}

TEST_F(TlsTest, TakesNoMailFromWhomTheCharterDoesNotName) {
  const TlsKeyPair key =
      MemberKey(VALUE_OF(broker.data().ReadCas(broker.network_file())).current,
                broker.network(), "ghost");
  RelayClient ghost(broker.ChannelWith(&key));
  EXPECT_FALSE(ghost.Submit(broker.EnvelopeFrom("ong", "ong")).ok());
  const auto inbox = ghost.Subscribe();
  EXPECT_FALSE(inbox->Next().has_value());
  EXPECT_EQ(ErrorCodeOf(inbox->End()), "unknown_member");
}

TEST_F(TlsTest, SpeaksTls13AndNothingOlder) {
  for (const std::string& address :
       {broker.enrol_address(), broker.members_address()}) {
    EXPECT_FALSE(Handshakes(address, TLS1_VERSION));
    EXPECT_FALSE(Handshakes(address, TLS1_1_VERSION));
    EXPECT_FALSE(Handshakes(address, TLS1_2_VERSION));
    // A missing client certificate shows after the handshake in TLS 1.3.
    EXPECT_TRUE(Handshakes(address, TLS1_3_VERSION));
  }
}

TEST_F(TlsTest, HangsUpOnAStrangerWhoOnlyHoldsALineOpen) {
  const auto server = VALUE_OF(RpcServer::Start(
      {.address = "127.0.0.1:0",
       .credentials =
           MakeServerCredentials({broker.data().server_key(),
                                  broker.data().server_certificate(), ""}),
       .message_bytes_max = 1 << 20,
       .streams_per_connection_max = 16,
       .strangers = {.memory_bytes_max = 64 << 20,
                     .handshake = absl::Milliseconds(100),
                     .idle = absl::Seconds(30),
                     .age = absl::Minutes(2)}}));
  const int fd =
      ConnectTo({"127.0.0.1", static_cast<uint16_t>(server->port())});
  char byte;
  EXPECT_EQ(recv(fd, &byte, 1, 0), 0);  // the other side closed
  close(fd);
}

TEST_F(TlsTest, OffersNoMembersServiceOnTheEnrolmentPort) {
  const auto channel =
      MakeChannel(broker.enrol_address(),
                  MakeClientCredentials({broker.ca_pem(), "", ""}), 1 << 20);
  v1::LogService::Stub stub(channel);
  grpc::ClientContext context;
  v1::CheckpointResponse response;
  EXPECT_THAT(FromGrpc(stub.GetCheckpoint(&context, {}, &response)),
              StatusIs(StatusCode::kUnimplemented));
}

TEST_F(TlsTest, ServesANewCertificateWithoutARestart) {
  const std::string before =
      VALUE_OF(ReadFile(broker.data().server_certificate(), 1 << 16));
  ASSERT_OK(RenewServerCertificate(
      broker.data(), VALUE_OF(broker.data().ReadConfig()), SystemClock()));
  const std::string after =
      VALUE_OF(ReadFile(broker.data().server_certificate(), 1 << 16));
  EXPECT_NE(before, after);
  // Callers get through all the while.
  for (int i = 0; i < 5; ++i) EXPECT_OK(broker.Enrolment().GetNetwork());
}

// --- Health and reflection.

TEST_F(TlsTest, SaysThatItServes) {
  for (const char* service : {"", "amparo.v1.RelayService"}) {
    const auto stub =
        grpc::health::v1::Health::NewStub(broker.ChannelOf("ong"));
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(service);
    grpc::health::v1::HealthCheckResponse response;
    ASSERT_OK(FromGrpc(stub->Check(&context, request, &response)));
    EXPECT_EQ(response.status(),
              grpc::health::v1::HealthCheckResponse::SERVING);
  }
}

// One question to the reflection service, whose messages no package ships:
// asked and answered in bytes.
std::string AskReflection(const std::shared_ptr<grpc::Channel>& channel,
                          const std::string& question) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const auto call = stub.PrepareCall(
      &context,
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", &queue);
  void* tag;
  bool ok = false;
  const auto wait = [&] { return queue.Next(&tag, &ok) && ok; };
  call->StartCall(nullptr);
  if (!wait()) return "";
  grpc::Slice slice(question);
  call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  if (!wait()) return "";
  grpc::ByteBuffer answer;
  call->Read(&answer, nullptr);
  if (!wait()) return "";
  std::vector<grpc::Slice> slices;
  answer.Dump(&slices);
  std::string text;
  for (const grpc::Slice& piece : slices)
    text.append(reinterpret_cast<const char*>(piece.begin()), piece.size());
  context.TryCancel();
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  return text;
}

TEST_F(TlsTest, DescribesItsServicesToMembers) {
  const std::string services =
      AskReflection(broker.ChannelOf("ong"), {0x3a, 0});  // list_services: ""
  EXPECT_NE(services.find("amparo.v1.RelayService"), std::string::npos);
  EXPECT_NE(services.find("amparo.v1.LogService"), std::string::npos);
  // file_containing_symbol
  std::string question = {0x22, 21};
  question += "grpc.health.v1.Health";
  EXPECT_NE(AskReflection(broker.ChannelOf("ong"), question)
                .find("HealthCheckRequest"),
            std::string::npos);
}

}  // namespace
}  // namespace amparo::broker

#include "agents/institution/daemon/systems_door.h"

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/kv/memory_kv.h"
#include "proto/grpc/credentials.h"
#include "tests/integration/agents/api_fixture.h"
#include "tests/support/fake_clock.h"
#include "tests/support/system_certificate.h"

// The port for IT systems, whose certificate renews itself.

namespace amparo::agent {
namespace {

class SystemsDoorTest : public testing::Test {
 protected:
  SystemsDoorTest() : api_(world_, "ong") {
    EXPECT_OK(AllowOnlyTls13());
    // The certificate has 25 days left now.
    clock_.Set(absl::Now() - absl::Hours(800 * 24));
    EXPECT_OK(MakeDirectory(data_.Path(""), FileMode::kPrivate));
    VALUE_OF(api_.agent().officers().Add(
        VALUE_OF(Handle::Parse("records")), {Role::kItSystem}, {},
        VALUE_OF(ReadClientCertificate(system_.certificate))));
  }

  std::unique_ptr<SystemsDoor> Open(const std::string& listen = "127.0.0.1:0") {
    config_.tls_listen = listen;
    return VALUE_OF(SystemsDoor::Open(data_, config_, kv_, api_.parts(), clock_));
  }
  std::string File(const char* name) {
    return VALUE_OF(ReadFile(data_.Path(name), 1 << 20));
  }
  // By what was pinned when the system was set up.
  bool Serves(int port, const std::string& ca) {
    v1::AgentService::Stub stub(MakeChannel(
        absl::StrCat("127.0.0.1:", port),
        MakeClientCredentials({ca, system_.key, system_.certificate}), 1 << 20));
    v1::StatusResponse response;
    const auto context = CallAs("");
    return stub.Status(context.get(), v1::StatusRequest(), &response).ok();
  }

  AgentWorld world_;
  ApiOf api_;
  ScratchFolder folder_;
  const DataDir data_{folder_ / "agent"};
  MemoryKv kv_;
  FakeClock clock_;
  AgentConfig config_{.member = VALUE_OF(MemberId::Parse("ong")),
                      .network = "test-network"};
  const SystemCertificate system_ = MakeSystemCertificate();
};

TEST_F(SystemsDoorTest, RenewsItsCertificateBeforeItsEndAtTheSamePlace) {
  const auto door = Open();
  const int port = door->port();
  const std::string ca = File("api-ca.pem");
  EXPECT_EQ(File("api.addr"), absl::StrCat("127.0.0.1:", port, "\n"));
  EXPECT_TRUE(Serves(port, ca));
  const absl::Time end = door->certificate_end();
  EXPECT_OK(door->Keep());
  EXPECT_EQ(door->certificate_end(), end);  // 825 days are left

  clock_.Set(end - absl::Hours(31 * 24));
  EXPECT_OK(door->Keep());
  EXPECT_EQ(door->certificate_end(), end);
  clock_.Set(end - absl::Hours(29 * 24));
  EXPECT_OK(door->Keep());
  EXPECT_GT(door->certificate_end(), end + absl::Hours(700 * 24));
  EXPECT_EQ(door->port(), port);
  EXPECT_EQ(File("api-ca.pem"), ca);
  EXPECT_TRUE(Serves(port, ca));
}

TEST_F(SystemsDoorTest, IsAtTheSamePlaceAfterARestart) {
  auto door = Open();
  const int port = door->port();
  door.reset();
  door = Open();
  EXPECT_EQ(door->port(), port);
}

TEST_F(SystemsDoorTest, StaysShut) {
  const auto door = Open();
  const int port = door->port();
  const std::string ca = File("api-ca.pem");
  door->Shutdown(absl::ZeroDuration());
  clock_.Set(door->certificate_end());
  EXPECT_OK(door->Keep());
  EXPECT_FALSE(Serves(port, ca));
}

TEST_F(SystemsDoorTest, IsNotThereWhereNobodyAskedForIt) {
  Open();
  EXPECT_EQ(Open(""), nullptr);
  EXPECT_FALSE(FileExists(data_.Path("api.addr")));
}

}  // namespace
}  // namespace amparo::agent

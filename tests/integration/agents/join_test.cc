#include "agents/institution/daemon/join.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "agents/auditor/rpc/join.h"
#include "agents/institution/daemon/reconnect.h"
#include "base/error.h"
#include "base/error_json.h"
#include "base/files.h"
#include "broker/daemon/ca_change.h"
#include "broker/daemon/commands.h"
#include "tests/support/broker_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

// Joining at a real broker: each thing that stands in the way is named, for an
// agent and for an auditor alike.

namespace amparo {
namespace {

using testing::HasSubstr;

// Something in between that answers everybody in plain HTTP.
class HttpProxy {
 public:
  HttpProxy() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, any, size), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    EXPECT_EQ(getsockname(listener_, any, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Answer(); });
  }
  ~HttpProxy() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  void Answer() {
    for (int caller; (caller = accept(listener_, nullptr, nullptr)) >= 0;) {
      constexpr char kAnswer[] =
          "HTTP/1.1 407 Proxy Authentication Required\r\n"
          "Content-Length: 0\r\n\r\n";
      if (send(caller, kAnswer, sizeof kAnswer - 1, MSG_NOSIGNAL) < 0) break;
      char rest[512];
      while (recv(caller, rest, sizeof rest, 0) > 0) {
      }
      close(caller);
    }
  }
  const int listener_;
  uint16_t port_ = 0;
  std::thread thread_;
};

class Joining : public testing::Test {
 protected:
  Joining() {
    broker_.Found({"ong", "uls", "auditor"});
    clock_.Set(absl::Now());
  }

  absl::Status JoinAgent(const std::string& line,
                         const std::string& name = "agent") {
    agent::JoinOptions options;
    options.invitation = line;
    options.unlock = agent::Unlock::kKeyFile;
    options.words_confirmed = true;
    return agent::Join(Data(name), options, clock_).status();
  }
  absl::Status JoinAuditor(const std::string& line,
                           const std::string& name = "profile") {
    return auditor::Join({line, folder_ / name, true, nullptr}, clock_)
        .status();
  }
  agent::DataDir Data(const std::string& name) {
    return agent::DataDir(folder_ / name);
  }

  // Both programs say this of an invitation that `change` was done to.
  void ExpectBoth(const std::function<void(Invitation&)>& change,
                  const std::string& code, int exit, const std::string& text) {
    for (const char* member : {"ong", "auditor"}) {
      SCOPED_TRACE(member);
      Invitation invitation =
          broker_.IsRunning() ? broker_.Invite(member) : kept_.at(member);
      change(invitation);
      Expect(Try(member, FormatInvitation(invitation)), code, exit, text);
    }
  }
  absl::Status Try(const std::string& member, const std::string& line,
                   const std::string& folder = "new") {
    return member == "ong" ? JoinAgent(line, folder + "-agent")
                           : JoinAuditor(line, folder + "-profile");
  }
  static void Expect(const absl::Status& status, const std::string& code,
                     int exit, const std::string& text) {
    EXPECT_EQ(ErrorCodeOf(status), code) << status;
    EXPECT_EQ(ExitOf(status), exit);
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
  static Bytes OtherCa() {
    return VALUE_OF(
        CertificateDer(VALUE_OF(MakeCa("other", absl::Now() - absl::Hours(1),
                                       absl::Now() + absl::Hours(1)))
                           .certificate_pem));
  }
  void Keep() {
    for (const char* member : {"ong", "auditor"})
      kept_.emplace(member, broker_.Invite(member));
  }

  broker::BrokerServer broker_;
  ScratchFolder folder_;
  FakeClock clock_;
  std::map<std::string, Invitation> kept_;
};

void Nothing(Invitation&) {}

TEST_F(Joining, WorksWhereNothingIsInTheWay) {
  EXPECT_OK(JoinAgent(FormatInvitation(broker_.Invite("ong"))));
  EXPECT_OK(JoinAuditor(FormatInvitation(broker_.Invite("auditor"))));
  EXPECT_TRUE(Data("agent").HasJoined());
}

TEST_F(Joining, NamesADamagedLine) {
  for (const char* member : {"ong", "auditor"}) {
    std::string line = FormatInvitation(broker_.Invite(member));
    line[line.size() / 2] = line[line.size() / 2] == 'x' ? 'y' : 'x';
    Expect(Try(member, line), "invalid_invitation", 1, "check digits");
    Expect(Try(member, line.substr(0, 40)), "invalid_invitation", 1, "cut off");
    Expect(Try(member, "hello"), "invalid_invitation", 1, "amparo1");
  }
}

TEST_F(Joining, NamesAnInvitationThatHasExpired) {
  ExpectBoth([](Invitation& it) { it.until = absl::Now() - absl::Hours(1); },
             "invitation_expired", 4, "the invitation ended at");
  // Also where the line itself was changed to look young.
  broker_.Stop();
  class PastClock final : public Clock {
    absl::Time Now() const override { return absl::Now() - absl::Hours(100); }
  };
  for (const char* member : {"ong", "auditor"})
    kept_.emplace(member,
                  VALUE_OF(ParseInvitation(
                      VALUE_OF(Invite(broker_.data(), member, PastClock()))
                          .json["invitation"]
                          .get<std::string>())));
  broker_.Start();
  for (const char* member : {"ong", "auditor"}) {
    Invitation old = kept_.at(member);
    Expect(Try(member, FormatInvitation(old)), "invitation_expired", 4,
           "ended");
    old.until = absl::Now() + absl::Hours(1);
    Expect(Try(member, FormatInvitation(old)), "invitation_expired", 4,
           "expired");
  }
}

TEST_F(Joining, NamesAnInvitationThatWasUsed) {
  for (const char* member : {"ong", "auditor"}) {
    const std::string line = FormatInvitation(broker_.Invite(member));
    EXPECT_OK(Try(member, line, "first"));
    Expect(Try(member, line, "second"), "invitation_used", 4, "used before");
  }
}

TEST_F(Joining, NamesAWrongPin) {
  ExpectBoth([](Invitation& it) { it.root = Sha256("another charter"); },
             "wrong_pin", 6, "pinned");
  ExpectBoth([](Invitation& it) { it.ca_der = OtherCa(); }, "wrong_pin", 6,
             "not this network's broker");
}

TEST_F(Joining, NamesAnotherNetworksBroker) {
  broker::BrokerServer other;
  other.Found({"ong", "auditor"});
  ExpectBoth([&](Invitation& it) { it.enrol = other.enrol_address(); },
             "wrong_pin", 6, "not this network's broker");
}

TEST_F(Joining, NamesAClockThatIsWrong) {
  for (const absl::Duration off :
       {absl::Minutes(6), absl::Minutes(-6), absl::Hours(-40)}) {
    clock_.Set(absl::Now() + off);
    ExpectBoth(Nothing, "config", 2, "clock is");
  }
  // So far ahead that the invitation seems to have ended.
  clock_.Set(absl::Now() + absl::Hours(1000));
  ExpectBoth(Nothing, "config", 2, "clock is");
}

TEST_F(Joining, NamesAPortThatIsClosed) {
  Keep();
  broker_.Stop();
  ExpectBoth(Nothing, "broker_unreachable", 5, "nobody listens");
  // What nobody can compare is taken at its word.
  ExpectBoth([](Invitation& it) { it.until = absl::Now() - absl::Hours(1); },
             "invitation_expired", 4, "ended");
}

TEST_F(Joining, NamesAProxyInTheWay) {
  HttpProxy proxy;
  ExpectBoth([&](Invitation& it) { it.enrol = proxy.address(); },
             "broker_unreachable", 5, "does not speak TLS 1.3");
}

TEST_F(Joining, NamesAHostThatNobodyKnows) {
  ExpectBoth([](Invitation& it) { it.enrol = "broker.invalid:7444"; },
             "broker_unreachable", 5, "does not resolve");
}

TEST_F(Joining, NamesAMemberThatTheCharterHasNot) {
  ExpectBoth(
      [](Invitation& it) { it.member = VALUE_OF(MemberId::Parse("ghost")); },
      "unknown_member", 3, "does not name this member");
}

TEST_F(Joining, AnAuditorIsToldThatTheInvitationIsForAnInstitution) {
  Expect(JoinAuditor(FormatInvitation(broker_.Invite("ong"))),
         "invalid_invitation", 1, "not for an auditor");
}

// --- The way back.

class Reconnecting : public Joining {
 protected:
  Reconnecting() {
    EXPECT_OK(JoinAgent(FormatInvitation(broker_.Invite("ong"))));
    EXPECT_OK(JoinAuditor(FormatInvitation(broker_.Invite("auditor"))));
    broker_.AdmitWhoJoined();
  }
  void ChangeCa() {
    VALUE_OF(broker::NewCa(broker_.data(), SystemClock()));
    VALUE_OF(broker::SwitchCa(broker_.data(), /*at_once=*/true));
  }
  absl::Status Reconnect(const Invitation& invitation) {
    return agent::Reconnect(Data("agent"), FormatInvitation(invitation),
                            clock_);
  }
  std::string File(const std::string& path) {
    return VALUE_OF(ReadFile(folder_ / path, 1 << 20));
  }
  bool IsOfTheNetwork(const std::string& certificate) {
    return CheckIssuedBy(File(certificate), broker_.ca_pem()).ok();
  }
};

TEST_F(Reconnecting, BringsACertificateOfTheNewCaForTheSameKeys) {
  ChangeCa();
  EXPECT_FALSE(IsOfTheNetwork("agent/certificate.pem"));
  const std::string keys = File("agent/keystore.json");
  EXPECT_OK(Reconnect(broker_.Invite("ong")));
  EXPECT_TRUE(IsOfTheNetwork("agent/certificate.pem"));
  EXPECT_EQ(VALUE_OF(Data("agent").ReadNetwork()).ca_der,
            broker_.network_file().ca_der);
  EXPECT_EQ(File("agent/keystore.json"), keys);
  // The charter names this identity already.
  const auto request = VALUE_OF(VerifyJoinRequest(VALUE_OF(
      broker_.Enrolment().GetJoinRequest(VALUE_OF(MemberId::Parse("ong"))))));
  EXPECT_EQ(request.identity_key,
            broker_.charter().charter.Find(request.member)->identity_key);
}

TEST_F(Reconnecting, BringsAnAuditorBack) {
  ChangeCa();
  EXPECT_OK(auditor::Reconnect(folder_ / "profile",
                               FormatInvitation(broker_.Invite("auditor")),
                               clock_));
  EXPECT_TRUE(IsOfTheNetwork("profile/cert.pem"));
  EXPECT_EQ(File("profile/ca.pem"), broker_.ca_pem());
}

TEST_F(Reconnecting, IsForTheSameMemberAndNetwork) {
  Expect(Reconnect(broker_.Invite("uls")), "invalid_invitation", 1,
         "another member");
  broker::BrokerServer other;
  other.Found({"ong"});
  Expect(Reconnect(other.Invite("ong")), "wrong_pin", 6, "another network");
  Invitation used = broker_.Invite("ong");
  EXPECT_OK(Reconnect(used));
  Expect(Reconnect(used), "invitation_used", 4, "used before");
}

TEST_F(Reconnecting, AttackAnInvitationBringsNoCaThatTheLogsKeyDoesNotName) {
  const std::string before = File("agent/network.json");
  Invitation forged = broker_.Invite("ong");
  forged.ca_der = OtherCa();
  Expect(Reconnect(forged), "wrong_pin", 6, "not this network's broker");
  EXPECT_EQ(File("agent/network.json"), before);
  // Beside the right one: it leads to the broker, and is forgotten there.
  forged = broker_.Invite("ong");
  forged.next_ca_der = forged.ca_der;
  forged.ca_der = OtherCa();
  EXPECT_OK(Reconnect(forged));
  const NetworkFile after = VALUE_OF(Data("agent").ReadNetwork());
  EXPECT_EQ(after.ca_der, broker_.network_file().ca_der);
  EXPECT_EQ(after.next_ca_der, std::nullopt);
}

}  // namespace
}  // namespace amparo

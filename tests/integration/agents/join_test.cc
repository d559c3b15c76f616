#include "agents/institution/daemon/join.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agents/auditor/rpc/join.h"
#include "agents/auditor/rpc/kept_ca.h"
#include "agents/institution/daemon/reconnect.h"
#include "base/error.h"
#include "base/error_json.h"
#include "base/files.h"
#include "broker/daemon/ca_change.h"
#include "broker/daemon/commands.h"
#include "broker/rpc/server.h"
#include "proto/grpc/clockless.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/unreached.h"
#include "proto/network/host_port.h"
#include "tests/support/broker_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/in_between.h"
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

// Stands in between with a certificate of a CA whose key it has: passes on what
// it is asked, but what it says of the CA is its own choice.
class Impostor final : public v1::EnrolmentService::CallbackService {
 public:
  // `away`: how far its certificate's hours, and `says_away` how far the time
  // that it tells, are from now.
  Impostor(const ScratchFolder& folder, const TlsKeyPair& ca,
           EnrolmentClient broker, std::string note,
           absl::Duration away = absl::ZeroDuration(),
           absl::Duration says_away = absl::ZeroDuration())
      : broker_(std::move(broker)),
        note_(std::move(note)),
        says_away_(says_away) {
    const TlsKeyPair key = VALUE_OF(IssueServerCertificate(
        ca, {"127.0.0.1"}, absl::Now() + away - absl::Hours(1),
        absl::Now() + away + absl::Hours(1)));
    const std::string key_file = folder / "impostor.key";
    const std::string file = folder / "impostor.pem";
    EXPECT_OK(WriteFile(key_file, ToText(key.private_key_pem.Expose()),
                        FileMode::kPrivate));
    EXPECT_OK(WriteFile(file, key.certificate_pem, FileMode::kPublic));
    server_ = VALUE_OF(broker::RpcServer::Start(
        {.address = "127.0.0.1:0",
         .credentials = MakeServerCredentials({key_file, file, ""}),
         .services = {this},
         .names = {},
         .message_bytes_max = 8 << 20,
         .streams_per_connection_max = 8}));
  }
  std::string address() const {
    return absl::StrCat("127.0.0.1:", server_->port());
  }
  int asked() const { return asked_; }

  grpc::ServerUnaryReactor* GetNetwork(grpc::CallbackServerContext* context,
                                       const v1::GetNetworkRequest*,
                                       v1::NetworkResponse* response) override {
    const auto network = VALUE_OF(broker_.GetNetwork());
    response->set_network(network.network);
    response->set_members_address(network.members_address);
    response->set_charter_version(network.charter_version);
    response->set_time_s(static_cast<uint64_t>(
        absl::ToUnixSeconds(network.broker_time + says_away_)));
    ++asked_;
    response->set_ca_note(note_);
    return Done(context);
  }
  grpc::ServerUnaryReactor* GetCharter(grpc::CallbackServerContext* context,
                                       const v1::GetCharterRequest* request,
                                       v1::CharterResponse* response) override {
    response->set_document(VALUE_OF(broker_.GetCharter(request->version())));
    return Done(context);
  }
  grpc::ServerUnaryReactor* Join(grpc::CallbackServerContext* context,
                                 const v1::JoinRequest* request,
                                 v1::JoinResponse* response) override {
    Invitation invitation{
        .network = "",
        .member = VALUE_OF(MemberId::Parse(request->member())),
        .enrol = "",
        .ca_der = {},
        .root = {},
        .token = ToBytes(request->token()),
        .until = {}};
    const auto joined = VALUE_OF(broker_.Join(invitation, request->csr_pem(),
                                              request->join_request(),
                                              request->certificate_request()));
    response->set_certificate_pem(joined.certificate_pem);
    response->set_members_address(joined.members_address);
    return Done(context);
  }

 private:
  static grpc::ServerUnaryReactor* Done(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const EnrolmentClient broker_;
  const std::string note_;
  const absl::Duration says_away_;
  std::atomic<int> asked_ = 0;
  std::unique_ptr<broker::RpcServer> server_;
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
  TlsKeyPair PresentCa() {
    return std::move(
        VALUE_OF(broker_.data().ReadCas(broker_.network_file())).current);
  }
  // A CA that lives `off` away from now; one for each.
  const TlsKeyPair& CaAround(absl::Duration off) {
    const auto found = cas_.find(off);
    if (found != cas_.end()) return found->second;
    const absl::Time around = absl::Now() + off;
    return cas_
        .emplace(off, VALUE_OF(MakeCa("test-network", around - absl::Hours(2),
                                      around + absl::Hours(2))))
        .first->second;
  }
  std::string PresentNote() {
    return VALUE_OF(broker_.Enrolment().GetNetwork()).ca_note;
  }
  uint16_t PortOf(const std::string& address) {
    return VALUE_OF(ParseHostPort(address)).port;
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
  std::map<absl::Duration, TlsKeyPair> cas_;
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
    const absl::Status used = Try(member, line, "second");
    Expect(used, "invitation_used", 4, "used before");
    EXPECT_THAT(DetailOf(used)->hint, HasSubstr("tell the committee"));
    Invitation wrong = VALUE_OF(ParseInvitation(line));
    wrong.token[0] ^= 1;
    const absl::Status unknown = Try(member, FormatInvitation(wrong), "third");
    Expect(unknown, "invalid_invitation", 1, "no such invitation");
    EXPECT_THAT(DetailOf(unknown)->hint, HasSubstr("ask its operator"));
  }
}

TEST_F(Joining, WhoFindsOtherWordsOnPaperIsToldWhatToDo) {
  const auto no = [](absl::string_view) { return false; };
  agent::JoinOptions options;
  options.invitation = FormatInvitation(broker_.Invite("ong"));
  options.unlock = agent::Unlock::kKeyFile;
  options.confirm_words = no;
  for (const absl::Status& refused :
       {agent::Join(Data("agent"), options, clock_).status(),
        auditor::Join({FormatInvitation(broker_.Invite("auditor")),
                       folder_ / "profile", false, no},
                      clock_)
            .status()}) {
    Expect(refused, "wrong_pin", 6, "not confirmed");
    EXPECT_THAT(DetailOf(refused)->hint, HasSubstr("call the committee"));
  }
  // It was not used up.
  EXPECT_OK(JoinAgent(options.invitation));
}

TEST_F(Joining, AnotherProgramsInvitationIsRefusedBeforeItIsUsed) {
  const std::string ongs = FormatInvitation(broker_.Invite("ong"));
  const std::string auditors = FormatInvitation(broker_.Invite("auditor"));
  const absl::Status agent = JoinAgent(auditors);
  Expect(agent, "invalid_invitation", 1, "for an auditor");
  EXPECT_THAT(DetailOf(agent)->hint, HasSubstr("amparo-audit join"));
  EXPECT_FALSE(FileExists(Data("agent").Path("keystore.json")));
  const absl::Status auditor = JoinAuditor(ongs);
  Expect(auditor, "invalid_invitation", 1, "not for an auditor");
  EXPECT_THAT(DetailOf(auditor)->hint, HasSubstr("amparo-agent join"));
  EXPECT_OK(JoinAgent(ongs));
  EXPECT_OK(JoinAuditor(auditors));
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

TEST_F(Joining, SaysAtWhichAddressNobodyIs) {
  Keep();
  const std::string address = broker_.enrol_address();
  broker_.Stop();
  ExpectBoth(Nothing, "broker_unreachable", 5, address);
}

TEST_F(Joining, NamesAProxyThatIsNotRead) {
  Keep();
  broker_.Stop();
  const Environment proxy("HTTPS_PROXY", "http://proxy.example:3128");
  for (const char* member : {"ong", "auditor"}) {
    const absl::Status refused =
        Try(member, FormatInvitation(kept_.at(member)));
    Expect(refused, "broker_unreachable", 5, "nobody listens");
    EXPECT_THAT(DetailOf(refused)->hint, HasSubstr("only https_proxy"));
  }
}

TEST_F(Joining, NamesAProxyThatIsDead) {
  const std::string address = [] { return InBetween("").address(); }();
  const Environment proxy("https_proxy", absl::StrCat("http://", address));
  ExpectBoth(Nothing, "broker_unreachable", 5,
             absl::StrCat("nobody listens at the proxy ", address));
}

TEST_F(Joining, NamesAProxyThatNobodyKnows) {
  const Environment proxy("http_proxy", "http://proxy.invalid:3128");
  ExpectBoth(Nothing, "broker_unreachable", 5,
             "the name of the proxy proxy.invalid:3128 (http_proxy)");
}

TEST_F(Joining, NamesAProxyThatRefuses) {
  for (const char* answer :
       {"403 Forbidden", "407 Proxy Authentication Required",
        "502 Bad Gateway"}) {
    SCOPED_TRACE(answer);
    const InBetween refusing(answer);
    const Environment proxy("https_proxy",
                            absl::StrCat("http://", refusing.address()));
    ExpectBoth(Nothing, "broker_unreachable", 5,
               absl::StrCat("does not let through to ", broker_.enrol_address(),
                            ": HTTP ", absl::string_view(answer).substr(0, 3)));
  }
}

TEST_F(Joining, GoesThroughAProxyAndAroundOne) {
  const InBetween carrying("200 OK", PortOf(broker_.enrol_address()));
  {
    const Environment proxy("https_proxy",
                            absl::StrCat("http://", carrying.address()));
    EXPECT_OK(Try("ong", FormatInvitation(broker_.Invite("ong"))));
  }
  EXPECT_GT(carrying.calls(), 0);
  const Environment proxy("https_proxy", "http://proxy.invalid:3128");
  const Environment around("no_proxy", "example.org,127.0.0.1");
  EXPECT_OK(Try("auditor", FormatInvitation(broker_.Invite("auditor"))));
}

TEST_F(Joining, AttackAProxyLeadsNobodyToAnotherBroker) {
  broker::BrokerServer other;
  other.Found({"ong", "auditor"});
  const InBetween astray("200 OK", PortOf(other.enrol_address()));
  const Environment proxy("https_proxy",
                          absl::StrCat("http://", astray.address()));
  ExpectBoth(Nothing, "wrong_pin", 6, "not this network's broker");
}

TEST_F(Joining, NamesTheMembersPortInPlaceOfTheEnrolmentPort) {
  ExpectBoth([&](Invitation& it) { it.enrol = broker_.members_address(); },
             "broker_unreachable", 5, "the broker's members' port answers");
}

TEST_F(Joining, NamesANameThatTheBrokerDoesNotHave) {
  const std::string address =
      absl::StrCat("127.0.0.2:", PortOf(broker_.enrol_address()));
  const InBetween carrying("200 OK", PortOf(broker_.enrol_address()));
  const Environment proxy("https_proxy",
                          absl::StrCat("http://", carrying.address()));
  ExpectBoth([&](Invitation& it) { it.enrol = address; }, "wrong_pin", 6,
             "but not for that name");
}

// By this machine's clock the broker's certificate has yet to begin: whose
// clock is wrong, only the broker's own can tell.
TEST_F(Joining, NamesAClockThatIsYearsBehind) {
  const absl::Duration off = absl::Hours(50000);
  const Impostor broker(folder_, CaAround(off), broker_.Enrolment(),
                        PresentNote(), off, off);
  const auto there = [&](Invitation& it) {
    it.enrol = broker.address();
    it.ca_der = VALUE_OF(CertificateDer(CaAround(off).certificate_pem));
  };
  ExpectBoth(there, "config", 2, "clock is 2083 days away");
  // And where the invitation seems to have ended, too.
  ExpectBoth(
      [&](Invitation& it) {
        there(it);
        it.until = absl::Now() - absl::Hours(1);
      },
      "config", 2, "clock is");
}

TEST_F(Joining, NamesTheBrokersCertificateWhereTheClocksAgree) {
  const absl::Duration off = absl::Hours(50);
  const Impostor broker(folder_, CaAround(off), broker_.Enrolment(),
                        PresentNote(), off);
  ExpectBoth(
      [&](Invitation& it) {
        it.enrol = broker.address();
        it.ca_der = VALUE_OF(CertificateDer(CaAround(off).certificate_pem));
      },
      "broker_unreachable", 5, "though the clocks agree");
}

// Who found the key of a certificate that ended would name a time at which it
// holds: it is neither asked for one nor believed.
TEST_F(Joining, AttackWhoHasAnOldKeyIsNotAskedTheTime) {
  for (const absl::Duration off : {absl::Hours(-50), absl::Hours(-50000)}) {
    const Impostor thief(folder_, CaAround(off), broker_.Enrolment(),
                         PresentNote(), off, off);
    ExpectBoth(
        [&](Invitation& it) {
          it.enrol = thief.address();
          it.ca_der = VALUE_OF(CertificateDer(CaAround(off).certificate_pem));
        },
        "config", 2, "ended at");
    EXPECT_EQ(thief.asked(), 0);
  }
}

// The pin is judged before the time, and whoever fails it is asked nothing.
TEST_F(Joining, AttackAStrangersCertificateIsAWrongPinWhateverTheClockSays) {
  const TlsKeyPair strangers =
      VALUE_OF(MakeCa("stranger", absl::Now() - absl::Hours(90000),
                      absl::Now() + absl::Hours(90000)));
  for (const absl::Duration off : {absl::Hours(50000), absl::Hours(-50000)}) {
    const Impostor stranger(folder_, strangers, broker_.Enrolment(),
                            PresentNote(), off, off);
    ExpectBoth([&](Invitation& it) { it.enrol = stranger.address(); },
               "wrong_pin", 6, "not this network's broker");
    EXPECT_EQ(stranger.asked(), 0);
  }
}

// The one connection that does not mind the time minds everything else.
TEST_F(Joining, AttackAStrangerIsNotEvenAskedTheTime) {
  const absl::Duration off = absl::Hours(50000);
  const Impostor known(folder_, CaAround(off), broker_.Enrolment(),
                       PresentNote(), off, off);
  const auto ask = [&](const std::string& ca_pem, const std::string& host) {
    const auto channel = MakeChannel(
        known.address(), MakeClocklessCredentials(ca_pem, host), 1 << 20);
    grpc::ClientContext context;
    v1::NetworkResponse response;
    return v1::EnrolmentService::NewStub(channel)
        ->GetNetwork(&context, {}, &response)
        .ok();
  };
  EXPECT_FALSE(ask(broker_.ca_pem(), "127.0.0.1"));
  EXPECT_FALSE(ask("", "127.0.0.1"));
  EXPECT_FALSE(ask(CaAround(off).certificate_pem, "127.0.0.2"));
  EXPECT_EQ(known.asked(), 0);
  EXPECT_TRUE(ask(CaAround(off).certificate_pem, "127.0.0.1"));
}

TEST_F(Joining, SaysThatABrokerHangs) {
  const InBetween hanging("");
  const Way way{Way::Port::kEnrolment,
                hanging.address(),
                {broker_.ca_pem(), "", ""},
                absl::Milliseconds(200)};
  Expect(ExplainUnreached(way, absl::DeadlineExceededError(""), absl::Now()),
         "broker_unreachable", 5,
         absl::StrCat(hanging.address(),
                      " takes the connection, but does not answer"));
}

// The certificate did not arrive, but the invitation is used.
TEST_F(Joining, GoesOnWhereItsAnswerWasLost) {
  for (const char* member : {"ong", "auditor"}) {
    SCOPED_TRACE(member);
    const std::string line = FormatInvitation(broker_.Invite(member));
    const std::string lost = member == std::string("ong")
                                 ? "cut-agent/certificate.pem"
                                 : "cut-profile/cert.pem";
    EXPECT_OK(Try(member, line, "cut"));
    ASSERT_EQ(remove((folder_ / lost).c_str()), 0);
    clock_.Advance(absl::Seconds(90));
    EXPECT_OK(Try(member, line, "cut"));
    EXPECT_TRUE(FileExists(folder_ / lost));
    Expect(Try(member, line, "other"), "invitation_used", 4, "used before");
  }
}

TEST_F(Joining, NamesAMemberThatTheCharterHasNot) {
  ExpectBoth(
      [](Invitation& it) { it.member = VALUE_OF(MemberId::Parse("ghost")); },
      "unknown_member", 3, "does not name this member");
}

// The old CA's key is stolen, a new CA was made, and somebody joins meanwhile.
TEST_F(Joining, AttackAnOldWordOfTheLogsKeyBringsNobodyToTheOldCa) {
  const TlsKeyPair stolen = PresentCa();
  const std::string old = PresentNote();
  VALUE_OF(broker::NewCa(broker_.data(), SystemClock()));
  const auto on_the_way = [&](const Impostor& impostor) {
    return [&](Invitation& it) { it.enrol = impostor.address(); };
  };
  {
    const Impostor thief(folder_, stolen, broker_.Enrolment(), old);
    ExpectBoth(on_the_way(thief), "wrong_pin", 6, "another CA");
  }
  // So it was the old word.
  const Impostor bystander(folder_, stolen, broker_.Enrolment(), PresentNote());
  for (const char* member : {"ong", "auditor"}) {
    Invitation invitation = broker_.Invite(member);
    invitation.enrol = bystander.address();
    EXPECT_OK(Try(member, FormatInvitation(invitation), "meanwhile"));
  }
  // Both remember how new it was: the old one is not taken later, either.
  const uint64_t number = broker_.network_file().ca_number;
  EXPECT_EQ(VALUE_OF(Data("meanwhile-agent").ReadNetwork()).ca_number, number);
  EXPECT_EQ(VALUE_OF(auditor::KeptCa(folder_ / "meanwhile-profile")).number,
            number);
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
    VALUE_OF(broker::SwitchCa(broker_.data(), /*at_once=*/true, SystemClock()));
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
  EXPECT_EQ(VALUE_OF(auditor::KeptCa(folder_ / "profile")).number,
            broker_.network_file().ca_number);
}

// An invitation is signed by nobody.
TEST_F(Reconnecting, AttackAnOldWordOfTheLogsKeyTakesNobodyBack) {
  const TlsKeyPair stolen = PresentCa();
  const std::string old = PresentNote();
  Invitation forged = broker_.Invite("ong");
  Invitation for_auditor = broker_.Invite("auditor");
  ChangeCa();
  ASSERT_OK(Reconnect(broker_.Invite("ong")));
  ASSERT_OK(auditor::Reconnect(folder_ / "profile",
                               FormatInvitation(broker_.Invite("auditor")),
                               clock_));
  const std::string network = File("agent/network.json");
  const std::string note = File("profile/ca.note");
  const Impostor thief(folder_, stolen, broker_.Enrolment(), old);
  forged.enrol = for_auditor.enrol = thief.address();
  Expect(Reconnect(forged), "wrong_pin", 6, "older");
  EXPECT_EQ(File("agent/network.json"), network);
  Expect(auditor::Reconnect(folder_ / "profile", FormatInvitation(for_auditor),
                            clock_),
         "wrong_pin", 6, "older");
  EXPECT_EQ(File("profile/ca.note"), note);
}

// The charter names its identity, and the thief has none.
TEST_F(Reconnecting, AttackAStolenInvitationMakesNoSecondAgent) {
  const std::string stolen = FormatInvitation(broker_.Invite("ong"));
  Expect(JoinAgent(stolen, "thief"), "verification_failed", 6,
         "another identity key");
  Expect(JoinAuditor(FormatInvitation(broker_.Invite("auditor")), "thief-too"),
         "verification_failed", 6, "another identity key");
  EXPECT_OK(agent::Reconnect(Data("agent"), stolen, clock_));
}

TEST_F(Reconnecting, AMemberThatLostItsKeysComesWithNewOnes) {
  EXPECT_OK(JoinAgent(
      FormatInvitation(broker_.Invite("ong", /*new_identity=*/true)), "new"));
}

TEST_F(Reconnecting, IsForTheSameMemberAndNetwork) {
  Expect(Reconnect(broker_.Invite("uls")), "invalid_invitation", 1,
         "another member");
  broker::BrokerServer other;
  other.Found({"ong"});
  Expect(Reconnect(other.Invite("ong")), "wrong_pin", 6, "another network");
  const Invitation used = broker_.Invite("ong");
  EXPECT_OK(Reconnect(used));
  EXPECT_OK(Reconnect(used));  // the same keys: the answer may have been lost
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

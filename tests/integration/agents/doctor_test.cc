#include "agents/institution/daemon/doctor.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "absl/strings/str_replace.h"
#include "agents/institution/daemon/agent.h"
#include "agents/institution/daemon/join.h"
#include "agents/institution/daemon/reconnect.h"
#include "agents/institution/daemon/store_to_read.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "broker/daemon/ca_change.h"
#include "tests/support/broker_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/in_between.h"
#include "tests/support/status_matchers.h"

// What the doctor says of an agent that joined a real broker and does not run.

namespace amparo::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

class Doctor : public testing::Test {
 protected:
  Doctor() {
    clock_.Set(absl::Now());
    broker_.Found({"ong"});
    JoinOptions options;
    options.invitation = FormatInvitation(broker_.Invite("ong"));
    options.unlock = Unlock::kKeyFile;
    options.words_confirmed = true;
    EXPECT_OK(Join(data_, options, clock_).status());
    broker_.AdmitWhoJoined();
  }

  std::vector<Check> Look() { return Examine(data_, "admin", clock_); }
  // The last word on `name`: of a member's port there may be two.
  Check Find(const std::string& name) {
    for (const Check& check : Look())
      if (check.name == name) return check;
    ADD_FAILURE() << "nothing was said of " << name;
    return {};
  }
  void Expect(const std::string& name, Verdict verdict,
              const std::string& text = "") {
    const Check check = Find(name);
    EXPECT_EQ(check.verdict, verdict) << name << ": " << check.text;
    EXPECT_THAT(check.text, HasSubstr(text)) << name;
    // Whatever is wrong comes with what to do.
    if (verdict == Verdict::kFail) {
      EXPECT_NE(check.hint, "") << name;
    }
  }
  void Mode(const char* name, mode_t mode) {
    EXPECT_EQ(chmod(data_.Path(name).c_str(), mode), 0);
  }
  void Rewrite(const char* name, const std::string& content) {
    EXPECT_OK(WriteFile(data_.Path(name), content, FileMode::kPrivate));
  }
  void ChangeNetwork(const std::function<void(NetworkFile&)>& change) {
    NetworkFile file = VALUE_OF(data_.ReadNetwork());
    change(file);
    Rewrite("network.json", FormatNetworkFile(file));
  }
  // A certificate for the agent's own key, or for any.
  void Certify(absl::Duration left, bool for_own_key = true,
               const TlsKeyPair* other_ca = nullptr) {
    const AgentSecrets secrets =
        VALUE_OF(data_.Unlock(VALUE_OF(data_.ReadConfig())));
    const TlsKeyPair key = for_own_key
                               ? TlsKeyPair{secrets.tls_key_pem.Copy(), ""}
                               : VALUE_OF(MakeTlsKey());
    const auto cas = VALUE_OF(broker_.data().ReadCas(broker_.network_file()));
    Rewrite(
        "certificate.pem",
        VALUE_OF(IssueMemberCertificate(
            other_ca != nullptr ? *other_ca : cas.current,
            VALUE_OF(MakeCsr(key, broker_.network(), "ong")), broker_.network(),
            "ong", absl::Now() - absl::Hours(1000), absl::Now() + left)));
  }

  broker::BrokerServer broker_;
  ScratchFolder folder_;
  const DataDir data_{folder_ / "agent"};
  FakeClock clock_;
};

TEST_F(Doctor, FindsOnlyThatAHealthyAgentDoesNotRun) {
  for (const char* name :
       {"joined", "directory", "keystore", "certificate", "enrolment_port",
        "charter", "members_port", "clock"})
    Expect(name, Verdict::kOk);
  Expect("agent", Verdict::kFail);
  EXPECT_FALSE(AllOk(Look()));
}

TEST_F(Doctor, SaysWhereNobodyJoined) {
  const auto checks = Examine(DataDir(folder_ / "empty"), "admin", clock_);
  ASSERT_EQ(checks.size(), 1u);
  EXPECT_EQ(checks[0].name, "joined");
  EXPECT_EQ(checks[0].verdict, Verdict::kFail);
  EXPECT_THAT(checks[0].hint, HasSubstr("join"));
}

TEST_F(Doctor, ChangesNothing) {
  const std::string before =
      VALUE_OF(ReadFile(data_.Path("network.json"), 9999));
  Look();
  EXPECT_EQ(VALUE_OF(ReadFile(data_.Path("network.json"), 9999)), before);
}

TEST_F(Doctor, SaysWhatOthersMayRead) {
  Mode("", 0755);
  Expect("directory", Verdict::kFail, "may enter");
  Mode("", 0700);
  Mode("keystore.json", 0644);
  Expect("directory", Verdict::kFail, "may be read by others");
  Mode("keystore.json", 0600);
  Mode("keystore.pass", 0640);
  Expect("directory", Verdict::kFail, "keystore.pass");
}

TEST_F(Doctor, SaysThatTheKeystoreIsMissing) {
  ASSERT_EQ(std::remove(data_.Path("keystore.json").c_str()), 0);
  Expect("directory", Verdict::kFail, "is missing");
  Expect("keystore", Verdict::kFail);
}

// Deleted, or of a volume that is not mounted: what starts there would be an
// agent without officers that acknowledges mail.
TEST_F(Doctor, AnAgentWithoutItsStoreIsNotStartedNorBackedUp) {
  const std::string store = data_.Path("store");
  for (const bool with_folder : {true, false}) {
    std::filesystem::remove_all(store);
    if (with_folder) std::filesystem::create_directory(store);
    const AgentConfig config = VALUE_OF(data_.ReadConfig());
    const absl::Status refused =
        Agent::Start(data_, config, VALUE_OF(data_.Unlock(config)), clock_)
            .status();
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_EQ(ErrorCodeOf(refused), "config");
    EXPECT_EQ(StoreToRead::Open(data_, config, "admin").status(), refused);
    Expect("directory", Verdict::kFail, "store is gone");
    for (const char* way : {"mount", "amparo-agent restore"})
      EXPECT_THAT(Find("directory").hint, HasSubstr(way));
    EXPECT_EQ(std::filesystem::exists(store), with_folder);
    EXPECT_TRUE(!with_folder || std::filesystem::is_empty(store));
  }
}

TEST_F(Doctor, ADamagedStoreSaysWhatIsLeftToDo) {
  ASSERT_OK(WriteFile(data_.Path("store/CURRENT"), "garbage\n",
                      FileMode::kPrivate));
  const AgentConfig config = VALUE_OF(data_.ReadConfig());
  const absl::Status refused =
      Agent::Start(data_, config, VALUE_OF(data_.Unlock(config)), clock_)
          .status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(ErrorCodeOf(refused), "tampered");
  EXPECT_THAT(DetailOf(refused)->hint, HasSubstr("amparo-agent restore"));
}

TEST_F(Doctor, SaysThatThePassphraseIsAnothers) {
  Rewrite("keystore.pass", "another passphrase\n");
  Expect("keystore", Verdict::kFail, "does not open");
  Expect("members_port", Verdict::kWarn, "not called");
}

TEST_F(Doctor, IsNotGreenWhereAClosedKeystoreKeepsAPortUntried) {
  std::string toml = VALUE_OF(ReadFile(data_.Path("agent.toml"), 9999));
  Rewrite("agent.toml", absl::StrReplaceAll(toml, {{"unlock = \"key_file\"",
                                                    "unlock = \"prompt\""}}));
  Expect("keystore", Verdict::kOk, "asks for a passphrase");
  Expect("members_port", Verdict::kWarn, "not called");
  EXPECT_THAT(Find("members_port").hint, HasSubstr("start the agent"));
}

TEST_F(Doctor, NamesAConfigurationThatIsNotRight) {
  const std::string toml = VALUE_OF(ReadFile(data_.Path("agent.toml"), 9999));
  const struct {
    const char* from;
    const char* to;
    const char* field;
    const char* expected;
  } cases[] = {
      {"unlock = \"key_file\"", "unlock = \"pin\"", "keystore.unlock",
       "prompt, key_file, credential"},
      {"keepalive_s = 20", "keepalive_s = 1", "broker.keepalive_s", "from 10"},
      {"witness = true", "witnes = true", "log.witnes", "unknown"},
      {"[log]", "[log", "not TOML", "TOML 1.0"},
  };
  for (const auto& c : cases) {
    Rewrite("agent.toml", absl::StrReplaceAll(toml, {{c.from, c.to}}));
    Expect("joined", Verdict::kFail, data_.Path("agent.toml"));
    Expect("joined", Verdict::kFail, c.field);
    EXPECT_THAT(Find("joined").hint, HasSubstr(c.expected));
    EXPECT_THAT(Find("joined").hint, HasSubstr("--check-config"));
  }
}

TEST_F(Doctor, NamesANetworkFileThatIsLostOrDamaged) {
  const std::string file = data_.Path("network.json");
  const std::string whole = VALUE_OF(ReadFile(file, 9999));
  for (const std::string& damaged : {std::string("{}"), std::string("nothing"),
                                     whole.substr(0, whole.size() / 2)}) {
    Rewrite("network.json", damaged);
    Expect("joined", Verdict::kFail, file + " is not right");
    EXPECT_THAT(Find("joined").hint, HasSubstr("put it back"));
  }
  ASSERT_EQ(std::remove(file.c_str()), 0);
  Expect("joined", Verdict::kFail, file + " is missing");
  // What the hint says works: the broker's own, without its token.
  NetworkFile of_broker = broker_.network_file();
  of_broker.founding_token.reset();
  Rewrite("network.json", FormatNetworkFile(of_broker));
  for (const char* name : {"joined", "enrolment_port", "members_port"})
    Expect(name, Verdict::kOk);
}

TEST_F(Doctor, LooksAtTheCertificate) {
  Certify(absl::Hours(24 * 31));
  Expect("certificate", Verdict::kOk);
  Certify(absl::Hours(24 * 29));
  Expect("certificate", Verdict::kWarn);
  Certify(absl::Hours(-1));
  Expect("certificate", Verdict::kFail);
  EXPECT_THAT(Find("certificate").hint, HasSubstr("reconnect"));
  Expect("members_port", Verdict::kFail, "does not take the certificate");
  Certify(absl::Hours(1000), /*for_own_key=*/false);
  Expect("certificate", Verdict::kFail, "keystore's key");
  const TlsKeyPair other = VALUE_OF(MakeCa(
      "other", absl::Now() - absl::Hours(1), absl::Now() + absl::Hours(1)));
  Certify(absl::Hours(1000), true, &other);
  Expect("certificate", Verdict::kFail, "of no CA of this network");
  Rewrite("certificate.pem", "nothing");
  Expect("certificate", Verdict::kFail, "cannot be read");
}

TEST_F(Doctor, SaysWhatBringsALostCertificateBack) {
  ASSERT_EQ(std::remove(data_.Path("certificate.pem").c_str()), 0);
  Expect("joined", Verdict::kOk);
  Expect("certificate", Verdict::kFail, "certificate.pem is missing");
  EXPECT_THAT(Find("certificate").hint, HasSubstr("amparo-agent reconnect"));
  Expect("members_port", Verdict::kFail, "without a certificate");
  EXPECT_THAT(std::string(data_.CheckJoined().message()),
              HasSubstr("certificate.pem is missing"));

  EXPECT_OK(Reconnect(data_, FormatInvitation(broker_.Invite("ong")), clock_));
  Expect("certificate", Verdict::kOk);
  Expect("members_port", Verdict::kOk);
}

TEST_F(Doctor, SaysWhichPortAnswersInTheOthersPlace) {
  const std::string members = broker_.members_address();
  ChangeNetwork([&](NetworkFile& file) { file.enrol = members; });
  Expect("enrolment_port", Verdict::kFail,
         "the broker's members' port answers");
  const std::string toml = VALUE_OF(ReadFile(data_.Path("agent.toml"), 9999));
  Rewrite("agent.toml",
          absl::StrReplaceAll(toml, {{members, broker_.enrol_address()}}));
  Expect("members_port", Verdict::kFail, "the broker's enrolment port answers");
}

TEST_F(Doctor, SaysThatAProxyIsInTheWay) {
  const InBetween refusing("403 Forbidden");
  const Environment proxy("https_proxy", "http://" + refusing.address());
  for (const char* port : {"enrolment_port", "members_port"})
    Expect(port, Verdict::kFail, refusing.address());
}

TEST_F(Doctor, SaysThatTheNetworkHasANewCa) {
  VALUE_OF(broker::NewCa(broker_.data(), SystemClock()));
  VALUE_OF(broker::SwitchCa(broker_.data(), /*at_once=*/true, SystemClock()));
  Expect("enrolment_port", Verdict::kFail, "not this network's broker");
  EXPECT_THAT(Find("enrolment_port").hint, HasSubstr("new CA"));
  Expect("members_port", Verdict::kFail, "not this network's broker");
}

TEST_F(Doctor, SaysThatTheCertificateIsOfTheCaThatGoes) {
  VALUE_OF(broker::NewCa(broker_.data(), SystemClock()));
  ChangeNetwork([&](NetworkFile& file) {
    file.next_ca_der = broker_.network_file().next_ca_der;
  });
  Expect("certificate", Verdict::kWarn, "leaving behind");
}

TEST_F(Doctor, SaysThatThePortsAreClosed) {
  broker_.Stop();
  Expect("enrolment_port", Verdict::kFail, "nobody listens");
  Expect("members_port", Verdict::kFail, "nobody listens");
  Expect("charter", Verdict::kWarn);
  Expect("clock", Verdict::kWarn, "not compared");
}

TEST_F(Doctor, SaysThatANameDoesNotResolve) {
  ChangeNetwork([](NetworkFile& file) { file.enrol = "broker.invalid:7444"; });
  Expect("enrolment_port", Verdict::kFail, "does not resolve");
}

TEST_F(Doctor, LooksAtTheClock) {
  clock_.Advance(absl::Minutes(2));
  Expect("clock", Verdict::kWarn);
  clock_.Advance(absl::Minutes(4));
  Expect("clock", Verdict::kFail);
}

TEST_F(Doctor, BlamesAClockThatIsYearsOffAndNotWhatGoesByIt) {
  for (const absl::Duration off :
       {absl::Hours(24 * 365 * 6), absl::Hours(-24 * 365 * 6)}) {
    clock_.Set(absl::Now() + off);
    Expect("clock", Verdict::kFail, "s from the broker's");
    Expect("certificate", Verdict::kWarn, "but not by the broker's");
    EXPECT_THAT(Find("certificate").hint, HasSubstr("set the clock"));
    EXPECT_THAT(Find("charter").hint,
                Not(HasSubstr("committee has to publish")));
    // It is read before what goes by it.
    std::vector<std::string> names;
    for (const Check& check : Look()) names.push_back(check.name);
    EXPECT_LT(std::find(names.begin(), names.end(), "clock"),
              std::find(names.begin(), names.end(), "certificate"));
  }
}

TEST_F(Doctor, LooksAtTheCharter) {
  const auto ends = [&](absl::Time at) {
    Charter next = broker_.NextDraft();
    next.expires = TimeFromUnix(UnixSeconds(at));
    ASSERT_OK(broker_.Publish(broker_.committee().Sign(next)));
  };
  ends(absl::Now() + absl::Hours(24 * 61));
  Expect("charter", Verdict::kOk);
  ends(absl::Now() + absl::Hours(24 * 59));
  Expect("charter", Verdict::kWarn, "until");
  // By a clock that differs no more than clocks may, too.
  ends(absl::Now() + absl::Minutes(2));
  clock_.Advance(absl::Minutes(3));
  Expect("charter", Verdict::kWarn, "but not by the broker's");
}

TEST_F(Doctor, SaysWhatAMemberCanDoWhoseStatusIsInTheWay) {
  broker_.SetStatus("ong", MemberStatus::kSuspended);
  Expect("charter", Verdict::kWarn, "suspended");
  EXPECT_THAT(Find("charter").hint, HasSubstr("reinstates this member"));
  EXPECT_THAT(Find("charter").hint, HasSubstr("nothing here is wrong"));
  broker_.SetStatus("ong", MemberStatus::kLeft);
  Expect("charter", Verdict::kWarn, "left");
  EXPECT_THAT(Find("charter").hint, HasSubstr("for good"));
}

TEST_F(Doctor, SaysThatTheCharterNamesAnotherIdentity) {
  Charter next = broker_.NextDraft();
  for (Member& member : next.members)
    member.identity_key = SigningKey::Generate().verify_key();
  ASSERT_OK(broker_.Publish(broker_.committee().Sign(next)));
  Expect("charter", Verdict::kFail, "another identity key");
}

TEST_F(Doctor, SaysThatTheCharterIsNotThePinnedOne) {
  Rewrite("charter-1.json", "{}");
  Expect("charter", Verdict::kFail);
}

TEST_F(Doctor, SpeaksToPeopleAndToPrograms) {
  const std::vector<Check> checks = {
      {"disk", Verdict::kWarn, "a text", "a hint"},
      {"clock", Verdict::kOk, "right", ""}};
  const std::string text = ChecksText(checks);
  EXPECT_THAT(text, HasSubstr("warn  disk"));
  EXPECT_THAT(text, HasSubstr("a hint"));
  const Json json = VALUE_OF(ParseJson(ChecksJson(checks)));
  EXPECT_EQ(json["schema"], "doctor/1");
  EXPECT_EQ(json["checks"][0]["result"], "warn");
  EXPECT_TRUE(json["checks"][1]["hint"].is_null());
  EXPECT_FALSE(AllOk(checks));
  EXPECT_TRUE(AllOk({checks[1]}));
}

}  // namespace
}  // namespace amparo::agent

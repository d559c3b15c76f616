#include "agents/officer/run.h"

#include <filesystem>
#include <sstream>

#include "absl/strings/str_split.h"
#include "base/error.h"
#include "base/files.h"
#include "tests/support/status_matchers.h"
#include "tests/support/system_certificate.h"
#include "tests/unit/agents/officer/fake_agent.h"
#include "tests/unit/agents/officer/samples.h"

namespace amparo::officer {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An officer at a desk: a directory with a profile, and the program.
class Officer : public ::testing::Test {
 protected:
  Officer() {
    char name[] = "/tmp/amparo-officer-XXXXXX";
    directory_ = mkdtemp(name);
    Write("profile.toml", "socket = \"agent.sock\"\nofficer = \"ana\"\n");
    Write("form.json", R"({"schema":"referral_form/1"})");
  }
  ~Officer() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text) {
    EXPECT_OK(WriteFile(directory_ + "/" + name, text, FileMode::kPublic));
  }
  std::string Path(const std::string& name) { return directory_ + "/" + name; }

  struct Result {
    int exit;
    std::string out, err;
    Json json() const { return VALUE_OF(ParseJson(out)); }
    Json error() const {
      const std::vector<std::string> lines =
          absl::StrSplit(err, '\n', absl::SkipEmpty());
      return VALUE_OF(ParseJson(lines.empty() ? "" : lines.back()));
    }
  };
  Result Amparo(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), {"--profile", directory_});
    std::istringstream in(input);
    std::ostringstream out, err;
    const Surroundings around = {
        .in = in,
        .out = out,
        .err = err,
        .environment = [](const char*) { return std::nullopt; },
        .clock = SystemClock()};
    const int exit = officer::Run(words, around);
    return {exit, out.str(), err.str()};
  }

  std::string directory_;
};

class OfficerWithAgent : public Officer {
 protected:
  OfficerWithAgent() : agent_(std::make_unique<FakeAgent>(directory_)) {}
  std::unique_ptr<FakeAgent> agent_;
};

absl::Status NotFound() {
  return MakeError(absl::StatusCode::kNotFound, "there is no such referral",
                   {.code = "not_found"});
}

TEST_F(Officer, WithoutAnAgentIsToldHowToStartIt) {
  const Result people = Amparo({"inbox"});
  EXPECT_EQ(people.exit, 5);
  EXPECT_EQ(people.out, "");
  EXPECT_THAT(people.err, HasSubstr("amparo-agent run --data DIR"));
  const Result program = Amparo({"inbox", "--json"});
  EXPECT_EQ(program.exit, 5);
  EXPECT_EQ(program.out, "");
  EXPECT_EQ(program.error()["schema"], "error/1");
  EXPECT_EQ(program.error()["code"], "agent_unreachable");
  EXPECT_EQ(program.error()["retryable"], true);
  EXPECT_EQ(program.error()["exit"], 5);
}

TEST_F(Officer, WithoutAnAgentDoesNotWaitOrWatch) {
  EXPECT_EQ(Amparo({"inbox", "--watch"}).exit, 5);
  EXPECT_EQ(
      Amparo({"referral", "show", samples::kReferral, "--wait", "opened"}).exit,
      5);
}

TEST_F(Officer, WithABadProfileExitsAsUsage) {
  Write("profile.toml", "sockett = \"agent.sock\"\n");
  EXPECT_EQ(Amparo({"inbox"}).exit, 2);
  EXPECT_EQ(Amparo({"inbox", "--json"}).error()["code"], "config");
}

TEST_F(Officer, AskedForHelpNeedsNoProfile) {
  std::filesystem::remove(Path("profile.toml"));
  const Result help = Amparo({"referral", "send", "--help"});
  EXPECT_EQ(help.exit, 0);
  EXPECT_THAT(help.out, HasSubstr("--dry-run"));
  EXPECT_EQ(Amparo({"--version"}).exit, 0);
}

TEST_F(Officer, WithAMisspelledFlagInAScriptGetsAJsonError) {
  const Result result = Amparo({"inbox", "--wacth", "--json"});
  EXPECT_EQ(result.exit, 2);
  EXPECT_EQ(result.error()["code"], "usage");
  EXPECT_EQ(result.error()["hint"], "did you mean --watch?");
}

TEST_F(OfficerWithAgent, SendsAFormFromAFileUnchanged) {
  agent_->referrals.send = [](const auto&, v1::SendResponse* sent) {
    *sent = samples::Sent();
    return absl::OkStatus();
  };
  const Result result =
      Amparo({"referral", "send", "--to", "uls,gnr", "--form",
              Path("form.json"), "--consent", "g-k3vw", "--confirm-key", "uls",
              "--priority", "urgent", "--json"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_EQ(result.json()["schema"], "referral_send/1");
  ASSERT_EQ(agent_->referrals.Sends().size(), 1u);
  const v1::SendRequest request = agent_->referrals.Sends().front();
  EXPECT_THAT(request.to(), ElementsAre("uls", "gnr"));
  EXPECT_EQ(request.form_json(), R"({"schema":"referral_form/1"})");
  EXPECT_EQ(request.consent_id(), "g-k3vw");
  EXPECT_THAT(request.confirm_key(), ElementsAre("uls"));
  EXPECT_EQ(request.priority(), "urgent");
  EXPECT_FALSE(request.dry_run());
  EXPECT_NE(request.request_id(), "");
  EXPECT_THAT(agent_->referrals.Officers(), Each("ana"));
}

TEST_F(OfficerWithAgent, SendsAFormFromStandardInputWithoutConsent) {
  agent_->referrals.send = [](const auto&, v1::SendResponse* sent) {
    *sent = samples::Sent();
    return absl::OkStatus();
  };
  Write("why.json", R"({"schema":"without_consent/1"})");
  const Result result =
      Amparo({"referral", "send", "--to", "gnr", "--form", "-", "--basis",
              "imminent_danger_life", "--reason-file", Path("why.json"),
              "--case", "c-k3vw"},
             R"({"piped":true})");
  EXPECT_EQ(result.exit, 0) << result.err;
  const v1::SendRequest request = agent_->referrals.Sends().front();
  EXPECT_EQ(request.form_json(), R"({"piped":true})");
  EXPECT_EQ(request.reason_json(), R"({"schema":"without_consent/1"})");
  EXPECT_EQ(request.basis(), "imminent_danger_life");
  EXPECT_EQ(request.case_id(), "c-k3vw");
  EXPECT_EQ(request.consent_id(), "");
}

TEST_F(OfficerWithAgent, GetsARefusalAsAResult) {
  agent_->referrals.send = [](const auto&, v1::SendResponse* sent) {
    *sent = samples::Finding(false);
    return absl::OkStatus();
  };
  const Result result =
      Amparo({"referral", "send", "--to", "gnr", "--form", Path("form.json"),
              "--consent", "g-k3vw", "--json"});
  EXPECT_EQ(result.exit, 4);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.json()["schema"], "referral_dry_run/1");
  EXPECT_EQ(result.json()["allowed"], false);
}

TEST_F(OfficerWithAgent, GetsAnAllowedDryRunWithExitZero) {
  agent_->referrals.send = [](const v1::SendRequest& request,
                              v1::SendResponse* sent) {
    EXPECT_TRUE(request.dry_run());
    *sent = samples::Finding(true);
    return absl::OkStatus();
  };
  EXPECT_EQ(Amparo({"referral", "send", "--to", "gnr", "--form",
                    Path("form.json"), "--consent", "g-k3vw", "--dry-run"})
                .exit,
            0);
}

TEST_F(OfficerWithAgent, AsksAgainWithTheSameRequestWhenTheAnswerWasLost) {
  agent_->referrals.lost_answers = 1;
  agent_->referrals.send = [](const auto&, v1::SendResponse* sent) {
    *sent = samples::Sent();
    return absl::OkStatus();
  };
  EXPECT_EQ(Amparo({"referral", "send", "--to", "uls", "--form",
                    Path("form.json"), "--consent", "g-k3vw"})
                .exit,
            0);
  const auto sends = agent_->referrals.Sends();
  ASSERT_EQ(sends.size(), 2u);
  EXPECT_EQ(sends[0].request_id(), sends[1].request_id());
}

TEST_F(OfficerWithAgent, DoesNotAskAgainWhenTheAgentSaidNo) {
  agent_->referrals.send = [](const auto&, v1::SendResponse*) {
    return MakeError(absl::StatusCode::kPermissionDenied, "no",
                     {.code = "no_consent"});
  };
  const std::vector<std::string> line = {
      "referral",        "send",      "--to",  "uls", "--form",
      Path("form.json"), "--consent", "g-k3vw"};
  EXPECT_EQ(Amparo(line).exit, 4);
  EXPECT_EQ(agent_->referrals.Sends().size(), 1u);
  Amparo(line);
  const auto sends = agent_->referrals.Sends();
  EXPECT_NE(sends[0].request_id(), sends[1].request_id());
}

TEST_F(OfficerWithAgent, SendsNothingOfAFormThatIsNoJson) {
  Write("broken.json", "{\n \"schema\": \"referral_form/1\",\n \"a\" 1\n}\n");
  const Result result =
      Amparo({"referral", "send", "--to", "uls", "--form", Path("broken.json"),
              "--consent", "g-k3vw", "--json"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_EQ(result.error()["code"], "invalid_form");
  EXPECT_THAT(result.error()["message"].get<std::string>(),
              HasSubstr("line 3"));
  EXPECT_EQ(result.err.find("\"a\""), std::string::npos);
  EXPECT_TRUE(agent_->referrals.Sends().empty());
}

TEST_F(OfficerWithAgent, SendsNothingOfAFormThatIsTooLargeOrMissing) {
  for (const char* from : {"file", "input"}) {
    const std::string large(1024 * 1024 + 1, ' ');
    Write("large.json", large);
    const bool file = from == std::string("file");
    const Result result = Amparo({"referral", "update", "r-k3vw", "--json",
                                  "--form", file ? Path("large.json") : "-"},
                                 large);
    EXPECT_EQ(result.exit, 1) << from;
    EXPECT_EQ(result.error()["code"], "too_large") << from;
  }
  EXPECT_EQ(Amparo({"referral", "update", "r-k3vw", "--json", "--form",
                    Path("nowhere.json")})
                .error()["code"],
            "invalid_form");
}

TEST_F(OfficerWithAgent, HearsTheAgentsErrorsWithWhatToDoNext) {
  agent_->referrals.show = [](const auto&, v1::ReferralView*) {
    return NotFound();
  };
  const Result people = Amparo({"referral", "show", "r-k3vw"});
  EXPECT_EQ(people.exit, 3);
  EXPECT_EQ(people.out, "");
  EXPECT_THAT(people.err, HasSubstr("amparo referral list"));
  EXPECT_EQ(Amparo({"referral", "show", "r-k3vw", "--json"}).error()["exit"],
            3);
}

TEST_F(OfficerWithAgent, IsToldWhenTheAgentIsOfAnotherVersion) {
  const Result result = Amparo({"directory", "list"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_THAT(result.err, HasSubstr("one version"));
}

TEST_F(OfficerWithAgent, OpensMaskedSectionsByName) {
  agent_->referrals.show = [](const auto&, v1::ReferralView* referral) {
    *referral = samples::Referral();
    return absl::OkStatus();
  };
  EXPECT_EQ(
      Amparo({"referral", "show", "r-k3vw", "--section", "safe_contact,health"})
          .exit,
      0);
  const v1::ShowReferralRequest request = agent_->referrals.Shows().front();
  EXPECT_THAT(request.open_sections(), ElementsAre("safe_contact", "health"));
  EXPECT_FALSE(request.status_only());
}

TEST_F(OfficerWithAgent, GivesReasonAndOutcomeAsTheCode) {
  EXPECT_EQ(
      Amparo({"referral", "decline", "r-k3vw", "--reason", "no_capacity"}).exit,
      0);
  EXPECT_EQ(
      Amparo({"referral", "close", "r-k3vw", "--outcome", "goals_met"}).exit,
      0);
  EXPECT_EQ(Amparo({"referral", "accept", "r-k3vw"}).exit, 0);
  const auto actions = agent_->referrals.Actions();
  ASSERT_EQ(actions.size(), 3u);
  EXPECT_EQ(actions[0].code(), "no_capacity");
  EXPECT_EQ(actions[1].code(), "goals_met");
  EXPECT_EQ(actions[2].code(), "");
}

TEST_F(OfficerWithAgent, WaitsUntilTheStageIsReached) {
  agent_->referrals.watches = {{.changes = 3}};
  int looks = 0;
  agent_->referrals.show = [&](const v1::ShowReferralRequest& request,
                               v1::ReferralView* referral) {
    *referral = samples::Referral();
    referral->clear_events();
    const bool there = ++looks >= 3;
    *referral->mutable_recipients(0) = samples::Recipient(
        there ? "accepted" : "received", there ? "opened" : "delivered");
    EXPECT_EQ(request.status_only(), looks <= 3);
    return absl::OkStatus();
  };
  const Result result = Amparo({"referral", "show", "r-k3vw", "--wait",
                                "accepted", "--timeout", "30", "--json"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_EQ(result.json()["recipients"][0]["state"], "accepted");
  EXPECT_EQ(agent_->referrals.Shows().size(), 4u);
}

TEST_F(OfficerWithAgent, WaitsForAWholeIdThatIsNotKnownYet) {
  agent_->referrals.watches = {{.changes = 2}};
  int looks = 0;
  agent_->referrals.show = [&](const auto&, v1::ReferralView* referral) {
    if (++looks == 1) return NotFound();
    *referral = samples::Referral();
    return absl::OkStatus();
  };
  EXPECT_EQ(Amparo({"referral", "show", samples::kReferral, "--wait",
                    "received", "--timeout", "30"})
                .exit,
            0);
}

TEST_F(OfficerWithAgent, DoesNotWaitForAPrefixThatNobodyKnows) {
  agent_->referrals.show = [](const auto&, v1::ReferralView*) {
    return NotFound();
  };
  EXPECT_EQ(Amparo({"referral", "show", "r-k3vw", "--wait", "received",
                    "--timeout", "30"})
                .exit,
            3);
}

TEST_F(OfficerWithAgent, StopsWaitingForWhatCanNeverHappen) {
  agent_->referrals.show = [](const auto&, v1::ReferralView* referral) {
    *referral = samples::Referral();
    *referral->mutable_recipients(0) = samples::Recipient("declined", "opened");
    referral->clear_events();
    return absl::OkStatus();
  };
  const Result result = Amparo({"referral", "show", "r-k3vw", "--wait",
                                "accepted", "--timeout", "30", "--json"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.error()["code"], "invalid_state");
}

TEST_F(OfficerWithAgent, StopsWaitingWhenTheTimeIsUp) {
  agent_->referrals.show = [](const auto&, v1::ReferralView* referral) {
    *referral = samples::Referral();
    return absl::OkStatus();
  };
  const Result result = Amparo({"referral", "show", "r-k3vw", "--wait",
                                "completed", "--timeout", "1", "--json"});
  EXPECT_EQ(result.exit, 1);
  EXPECT_EQ(result.error()["code"], "timed_out");
  EXPECT_THAT(result.error()["message"].get<std::string>(),
              HasSubstr("uls is accepted (opened)"));
}

TEST_F(OfficerWithAgent, WatchesTheInboxOneObjectPerChange) {
  agent_->referrals.watches = {
      {.changes = 3,
       .end = MakeError(absl::StatusCode::kPermissionDenied, "no officer",
                        {.code = "not_an_officer"})}};
  int looks = 0;
  agent_->referrals.inbox = [&](v1::InboxResponse* inbox) {
    // The second look finds nothing new: nothing is said.
    if (++looks == 3) *inbox->add_items() = samples::Item();
    return absl::OkStatus();
  };
  const Result result = Amparo({"inbox", "--watch", "--json"});
  EXPECT_EQ(result.exit, 4);
  const std::vector<std::string> lines =
      absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(VALUE_OF(ParseJson(lines[0]))["items"].size(), 0u);
  EXPECT_EQ(VALUE_OF(ParseJson(lines[1]))["items"].size(), 1u);
  EXPECT_EQ(result.error()["code"], "not_an_officer");
}

TEST_F(OfficerWithAgent, WatchingOnTellsPeopleOnlyWhatIsNew) {
  agent_->referrals.watches = {
      {.changes = 3,
       .end = MakeError(absl::StatusCode::kPermissionDenied, "no officer",
                        {.code = "not_an_officer"})}};
  int looks = 0;
  agent_->referrals.inbox = [&](v1::InboxResponse* inbox) {
    ++looks;
    if (looks < 3) *inbox->add_items() = samples::Item();
    if (looks >= 2) {
      *inbox->add_items() = samples::Item();
      inbox->mutable_items(inbox->items_size() - 1)
          ->set_referral_id("r-zzzzzzzzzzzzzzzzzzzzzzzzzz");
    }
    return absl::OkStatus();
  };
  const std::string out = Amparo({"inbox", "--watch"}).out;
  EXPECT_THAT(out, HasSubstr("r-abcdefgh waits no more.\n"));
  size_t told = 0;
  for (size_t at = out.find("Referral: "); at != std::string::npos;
       at = out.find("Referral: ", at + 1))
    ++told;
  EXPECT_EQ(told, 2u) << out;
}

TEST_F(OfficerWithAgent, WatchesOnWhenTheAgentRestarts) {
  agent_->referrals.watches = {
      {.changes = 1, .end = absl::UnavailableError("draining")},
      {.changes = 1,
       .end = MakeError(absl::StatusCode::kPermissionDenied, "no officer",
                        {.code = "not_an_officer"})}};
  int looks = 0;
  agent_->referrals.inbox = [&](v1::InboxResponse* inbox) {
    inbox->set_unread(static_cast<uint32_t>(++looks));
    return absl::OkStatus();
  };
  const Result result = Amparo({"inbox", "--watch", "--json"});
  EXPECT_EQ(result.exit, 4);
  EXPECT_EQ(looks, 2);
}

TEST_F(OfficerWithAgent, RecordsAConsentWithItsEvidence) {
  const std::string scan("%PDF\0\xff", 6);
  Write("scan.pdf", scan);
  const Result result =
      Amparo({"consent", "record", "--form", Path("form.json"), "--evidence",
              Path("scan.pdf"), "--json"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_EQ(result.json()["schema"], "consent_record/1");
  EXPECT_EQ(agent_->consents.records.front().evidence(), scan);
  EXPECT_NE(agent_->consents.records.front().request_id(), "");
}

TEST_F(OfficerWithAgent, RevokesAConsentInPart) {
  EXPECT_EQ(Amparo({"consent", "revoke", "g-k3vw", "--section", "risk",
                    "--member", "uls", "--purpose", "support"})
                .exit,
            0);
  const v1::RevokeConsentRequest request = agent_->consents.revokes.front();
  EXPECT_EQ(request.grant_id(), "g-k3vw");
  EXPECT_EQ(request.section(), "risk");
  EXPECT_EQ(request.member(), "uls");
  EXPECT_EQ(request.purpose(), "support");
}

TEST_F(OfficerWithAgent, AddsAnOfficer) {
  EXPECT_EQ(Amparo({"officer", "add", "rui", "--role", "officer,supervisor",
                    "--uid", "1001"})
                .exit,
            0);
  EXPECT_EQ(agent_->agent.added.handle(), "rui");
  EXPECT_THAT(agent_->agent.added.roles(),
              ElementsAre("officer", "supervisor"));
  EXPECT_THAT(agent_->agent.added.uids(), ElementsAre(1001u));
  EXPECT_EQ(Amparo({"officer", "add", "rui", "--role", "officer", "--uid",
                    "4294967295"})
                .exit,
            2);
}

TEST_F(OfficerWithAgent, AddsASystemByItsCertificateAlone) {
  const SystemCertificate system = MakeSystemCertificate();
  Write("system.pem", system.certificate);
  Write("both.pem", system.certificate + system.key);
  const auto add = [&](std::vector<std::string> how) {
    std::vector<std::string> words = {"officer", "add",       "records",
                                      "--role",  "it_system", "--json"};
    words.insert(words.end(), how.begin(), how.end());
    return Amparo(words);
  };
  EXPECT_EQ(add({"--certificate", Path("system.pem")}).exit, 0);
  EXPECT_EQ(agent_->agent.added.certificate(), system.certificate);
  agent_->agent.added.Clear();
  EXPECT_EQ(add({}).exit, 2);
  EXPECT_EQ(add({"--uid", "1", "--certificate", Path("system.pem")}).exit, 2);
  // A private key goes nowhere.
  const Result refused = add({"--certificate", Path("both.pem")});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_EQ(refused.error()["field"], "--certificate");
  EXPECT_EQ(agent_->agent.added.handle(), "");
}

TEST_F(OfficerWithAgent, RemovesAnOfficer) {
  const Result result = Amparo({"officer", "remove", "records", "--json"});
  EXPECT_EQ(result.exit, 0) << result.err;
  EXPECT_EQ(agent_->agent.removed, "records");
  EXPECT_EQ(result.json()["schema"], "officer_remove/1");
}

// What can be seen before any connection is said before any.
class SystemWithAProfile : public OfficerWithAgent {
 protected:
  SystemWithAProfile() {
    Write("ca.pem", MakeSystemCertificate().certificate);
    Write("cert.pem", system_.certificate);
    Write("key.pem", system_.key);
    Protect("key.pem");
    Write("profile.toml",
          "address = \"127.0.0.1:1\"\nca = \"ca.pem\"\n"
          "cert = \"cert.pem\"\nkey = \"key.pem\"\n");
  }
  void Protect(const std::string& name) {
    std::filesystem::permissions(Path(name),
                                 std::filesystem::perms::owner_read |
                                     std::filesystem::perms::owner_write);
  }
  void ExpectConfigError(const std::string& field) {
    const Result result = Amparo({"inbox", "--json"});
    EXPECT_EQ(result.exit, 2);
    EXPECT_EQ(result.error()["code"], "config");
    EXPECT_EQ(result.error()["field"], field);
  }
  const SystemCertificate system_ = MakeSystemCertificate();
};

TEST_F(SystemWithAProfile, IsToldWhenNobodyAnswers) {
  const Result result = Amparo({"inbox", "--json"});
  EXPECT_EQ(result.exit, 5);
  EXPECT_EQ(result.error()["code"], "agent_unreachable");
}

TEST_F(SystemWithAProfile, IsToldWhichFileIsWrong) {
  for (const char* field : {"ca", "cert", "key"}) {
    SCOPED_TRACE(field);
    const std::string name = std::string(field) + ".pem";
    Write(name, "nothing");
    ExpectConfigError(field);
    std::filesystem::remove(Path(name));
    ExpectConfigError(field);
    Write("ca.pem", MakeSystemCertificate().certificate);
    Write("cert.pem", system_.certificate);
    Write("key.pem", system_.key);
    Protect("key.pem");
  }
}

TEST_F(SystemWithAProfile, IsToldThatItsKeyIsAnothers) {
  Write("key.pem", MakeSystemCertificate().key);
  Protect("key.pem");
  ExpectConfigError("key");
}

TEST_F(SystemWithAProfile, KeepsItsKeyFromEverybody) {
  std::filesystem::permissions(Path("key.pem"),
                               std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  ExpectConfigError("key");
}

}  // namespace
}  // namespace amparo::officer

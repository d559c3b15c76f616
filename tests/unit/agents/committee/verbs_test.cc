#include "agents/committee/verbs.h"

#include <sys/stat.h>

#include "absl/strings/match.h"
#include "agents/committee/draft_verbs.h"
#include "base/encoding.h"
#include "base/error.h"
#include "tests/unit/agents/committee/samples.h"

namespace amparo::committee {
namespace {

using VerbsTest = CommitteeFixture;

bool IsPrivate(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && (info.st_mode & 0077) == 0;
}

TEST_F(VerbsTest, InitMakesADraftAndAKeyForEachSeat) {
  Init();
  const Charter draft = VALUE_OF(folder_.Draft(std::nullopt));
  ASSERT_EQ(draft.governance.size(), 3u);
  EXPECT_EQ(draft.governance_threshold, 2u);
  EXPECT_EQ(draft.trust_delay, absl::ZeroDuration());
  for (const char* id : {"G1", "G2", "G3"}) {
    EXPECT_TRUE(IsPrivate(folder_.KeyPath(id))) << id;
    EXPECT_TRUE(IsPrivate(folder_.PassPath(id))) << id;
  }
  EXPECT_TRUE(IsPrivate(folder_.NetworkPath()));  // holds the founding token
  EXPECT_EQ(dialog_.passphrases, 0);
}

TEST_F(VerbsTest, InitNeverOverwritesADraft) {
  Init();
  const std::string draft = VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20));
  EXPECT_THAT(
      amparo::committee::Init({.folder = folder_path_,
                               .network_file = scratch_ / "network.json",
                               .local = true,
                               .members = {"a:police"}},
                              dialog_, clock_)
          .status(),
      StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20)), draft);
}

TEST_F(VerbsTest, InitRefusesWhatFoundsNoNetwork) {
  ASSERT_OK(WriteFile(scratch_ / "network.json",
                      FormatNetworkFile(SampleNetwork()), FileMode::kPublic));
  const std::vector<InitOptions> cases = {
      {.members = {}},
      {.members = {"auditor:auditor"}},                // nobody decides
      {.members = {"a:police"}, .seats = {"a", "a"}},  // one seat a member
      {.members = {"a:police", "a:health"}},           // one id, two members
      {.members = {"a:police"}, .threshold = 2},       // cannot be met
      {.members = {"a:police:\xff"}},                  // no text
  };
  for (InitOptions options : cases) {
    options.folder = folder_path_;
    options.network_file = scratch_ / "network.json";
    options.local = true;
    EXPECT_THAT(amparo::committee::Init(options, dialog_, clock_).status(),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_FALSE(FileExists(folder_.DraftPath()));
    std::filesystem::remove_all(folder_path_);
  }
}

TEST_F(VerbsTest, SigningShowsTheChangesAndAsksFirst) {
  Init();
  const absl::Status refused = SignOnce({}).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(dialog_.questions, 1);
  EXPECT_TRUE(absl::StrContains(dialog_.told, "founds the network"));
  EXPECT_TRUE(absl::StrContains(dialog_.told, "nobody else watches"));
  EXPECT_FALSE(FileExists(folder_.PendingPath(1)));
  dialog_.answer = true;
  EXPECT_OK(SignOnce({}));
  EXPECT_TRUE(FileExists(folder_.PendingPath(1)));
}

TEST_F(VerbsTest, EachSigningTakesTheNextKeyThatHasNotSigned) {
  Init();
  Outcome outcome = VALUE_OF(SignOnce());
  EXPECT_EQ(outcome.json["key"], "G1");
  EXPECT_EQ(outcome.json["complete"], false);
  outcome = VALUE_OF(SignOnce({.key_id = "G3", .yes = true}));
  EXPECT_EQ(outcome.json["complete"], true);
  outcome = VALUE_OF(SignOnce());
  EXPECT_EQ(outcome.json["key"], "G2");
  EXPECT_THAT(SignOnce().status(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(VerbsTest, PublishingGivesTheBrokerTheDocumentAndTheFoundingToken) {
  InitAndPublish();
  ASSERT_EQ(broker_.charters.size(), 1u);
  EXPECT_EQ(broker_.last_token, Bytes(kFoundingTokenBytes, 7));
  EXPECT_OK(
      AcceptFirstCharter(broker_.charters[0], Newest().hash, clock_.Now()));
  EXPECT_FALSE(FileExists(folder_.PendingPath(1)));
}

TEST_F(VerbsTest, TheFoundingTokenCanStandInAFileOfItsOwn) {
  Init();
  ASSERT_OK(SignOnce());
  ASSERT_OK(SignOnce());
  const Bytes token(kFoundingTokenBytes, 9);
  ASSERT_OK(WriteFile(scratch_ / "token", ToBase64Url(token) + "\n",
                      FileMode::kPrivate));
  ASSERT_OK(Publish(folder_, scratch_ / "token", broker_, clock_));
  EXPECT_EQ(broker_.last_token, token);
}

TEST_F(VerbsTest, PublishingGoesOnWhereTheAnswerWasLost) {
  Init();
  ASSERT_OK(SignOnce());
  ASSERT_OK(SignOnce());
  broker_.lose_answer = true;
  EXPECT_OK(Publish(folder_, "", broker_, clock_));
  EXPECT_EQ(Newest().charter.version, 1u);
}

TEST_F(VerbsTest, ADraftThatChangesNothingIsNotSigned) {
  InitAndPublish();
  const absl::Status refused = SignOnce().status();
  EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
  EXPECT_EQ(refused.message(),
            "the draft changes nothing against version 1: there is nothing to "
            "sign");
  EXPECT_FALSE(FileExists(folder_.PendingPath(2)));
  // A renewal is a change.
  EditDraft([](Charter& draft) { draft.expires += absl::Hours(24); });
  EXPECT_OK(SignOnce());
}

TEST_F(VerbsTest, PublishingOverAForkNamesTheWayOn) {
  InitAndPublish();
  CharterFolder other(scratch_ / "other");
  std::filesystem::copy(folder_path_, scratch_ / "other",
                        std::filesystem::copy_options::recursive);
  EditDraft([](Charter& draft) { draft.title = "Theirs"; });
  SignAndPublish();
  const auto sign = [&] {
    for (int i = 0; i < 2; ++i)
      ASSERT_OK(Sign(other, {.yes = true}, dialog_, clock_));
  };
  ASSERT_OK(Set(other, {{"timezone", "Europe/Lisbon"}}));
  sign();
  broker_.refuse = absl::AlreadyExistsError("another document");
  const absl::Status refused = Publish(other, "", broker_, clock_).status();
  EXPECT_EQ(ErrorCodeOf(refused), "conflict");
  EXPECT_EQ(refused.message(),
            "version 2 was published with other content than this one");
  // The way that the hint names: nothing of the own draft is lost.
  EXPECT_TRUE(absl::StrContains(DetailOf(refused)->hint, "charter fetch"));
  ASSERT_OK(Fetch(other, std::nullopt, broker_));
  const Outcome diff = VALUE_OF(Diff(other, std::nullopt, std::nullopt));
  EXPECT_EQ(diff.json["to"], 3);
  EXPECT_TRUE(absl::StrContains(diff.text, "title changes from \"Theirs\""));
  broker_.refuse = absl::OkStatus();
  ASSERT_OK(Set(other, {{"title", "Theirs"}}));
  sign();
  EXPECT_OK(Publish(other, "", broker_, clock_));
}

TEST_F(VerbsTest, MergingWhatIsNotBeingSignedSaysWhatIsExpected) {
  InitAndPublish();
  for (const std::string& file :
       {folder_.NetworkPath(), folder_.DraftPath(), folder_.KeyPath("G1")}) {
    const absl::Status refused = Merge(folder_, file, clock_).status();
    EXPECT_EQ(ErrorCodeOf(refused), "invalid_form") << file;
    EXPECT_TRUE(absl::StrContains(refused.message(), file)) << refused;
    EXPECT_TRUE(absl::StrContains(DetailOf(refused)->expected,
                                  "charter-N.pending.json"));
  }
}

TEST_F(VerbsTest, PublishingThatIsRefusedKeepsThePendingVersion) {
  Init();
  ASSERT_OK(SignOnce());
  ASSERT_OK(SignOnce());
  broker_.refuse = absl::AlreadyExistsError("another document");
  EXPECT_THAT(Publish(folder_, "", broker_, clock_).status(),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_TRUE(FileExists(folder_.PendingPath(1)));
  EXPECT_FALSE(FileExists(folder_.PublishedPath(1)));
}

TEST_F(VerbsTest, AddingAMemberTakesItsKeysIntoTheNextVersion) {
  InitAndPublish();
  const JoinRequest request = LeaveJoinRequest("ong");
  const Outcome outcome = VALUE_OF(Add("ong"));
  EXPECT_EQ(outcome.json["status"], "active");
  EXPECT_EQ(outcome.json["version"], 2);
  const Charter draft = VALUE_OF(folder_.Draft(Newest()));
  const Member& member = *draft.Find(Id("ong"));
  EXPECT_EQ(member.status, MemberStatus::kActive);
  EXPECT_EQ(member.identity_key, request.identity_key);
  EXPECT_EQ(member.witness_key, request.witness_key);
  EXPECT_TRUE(
      absl::StrContains(dialog_.told, std::string(outcome.json["words"])));
}

TEST_F(VerbsTest, SeveralMembersAreOneVersion) {
  InitAndPublish();
  for (const char* member : {"gnr", "ong", "uls", "auditor"}) {
    LeaveJoinRequest(member);
    ASSERT_OK(Add(member));
  }
  SignAndPublish();
  const Charter charter = Newest().charter;
  EXPECT_EQ(charter.version, 2u);
  for (const Member& member : charter.members)
    EXPECT_EQ(member.status, MemberStatus::kActive) << member.id.text();
  EXPECT_FALSE(charter.Find(Id("auditor"))->witness_key.has_value());
  EXPECT_FALSE(broker_.last_token.has_value());
}

TEST_F(VerbsTest, AddingAMemberAgainChangesNothing) {
  InitAndPublish();
  LeaveJoinRequest("ong");
  ASSERT_OK(Add("ong"));
  const std::string draft = VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20));
  clock_.Advance(absl::Hours(1));
  ASSERT_OK(Add("ong", false));
  EXPECT_EQ(VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20)), draft);
}

TEST_F(VerbsTest, AddingAMemberNeedsTheFirstVersionAndAnEntryAndARequest) {
  Init();
  EXPECT_THAT(Add("ong").status(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  SignAndPublish();
  EXPECT_THAT(Add("ong").status(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ErrorCodeOf(Add("mp").status()), "unknown_member");
}

TEST_F(VerbsTest, ANewMemberIsInvitedAndComesInByTwoRounds) {
  InitAndPublish();
  clock_.Advance(absl::Hours(24 * 40));
  const Outcome invited =
      VALUE_OF(InviteMember(folder_, "casa5:shelter:Casa 5: sede", clock_));
  EXPECT_EQ(invited.json["member"], "casa5");
  EXPECT_EQ(invited.json["status"], "invited");
  EXPECT_EQ(invited.json["version"], 2);
  EXPECT_TRUE(absl::StrContains(invited.text, "amparo-broker invite casa5"));
  SignAndPublish();
  const Member first = *Newest().charter.Find(Id("casa5"));
  EXPECT_EQ(first.name, "Casa 5: sede");
  EXPECT_EQ(first.kind, MemberKind::kShelter);
  EXPECT_EQ(first.status, MemberStatus::kInvited);
  EXPECT_EQ(first.since, clock_.Now());
  EXPECT_FALSE(first.identity_key.has_value());

  const JoinRequest request = LeaveJoinRequest("casa5");
  ASSERT_OK(Add("casa5"));
  SignAndPublish();
  const Member second = *Newest().charter.Find(Id("casa5"));
  EXPECT_EQ(second.status, MemberStatus::kActive);
  EXPECT_EQ(second.identity_key, request.identity_key);
}

TEST_F(VerbsTest, InvitingTheSameMemberAgainChangesNothing) {
  InitAndPublish();
  ASSERT_OK(InviteMember(folder_, "casa5:shelter", clock_));
  const std::string draft = VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20));
  clock_.Advance(absl::Hours(1));
  EXPECT_OK(InviteMember(folder_, "casa5:shelter", clock_));
  EXPECT_EQ(VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20)), draft);
}

TEST_F(VerbsTest, ANewMemberNeedsAnIdThatNobodyHasAndAKindThatThereIs) {
  InitAndPublish();
  const auto refuse = [&](const char* text, const char* code,
                          const char* expected) {
    const absl::Status status = InviteMember(folder_, text, clock_).status();
    EXPECT_EQ(ErrorCodeOf(status), code) << text;
    const ErrorDetail detail = DetailOf(status).value_or(ErrorDetail{});
    EXPECT_EQ(detail.field, "MEMBER") << text;
    EXPECT_TRUE(absl::StrContains(detail.expected + detail.hint, expected))
        << text << ": " << status;
  };
  const std::string draft = VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20));
  refuse("casa5:ngo", "usage", "shelter health police");
  refuse("Casa5:shelter", "usage", "small letters");
  refuse(":shelter", "usage", "small letters");
  refuse("ong:shelter", "conflict", "add-member ong");
  refuse("ong:victim_support:Other", "conflict", "another id");
  EXPECT_EQ(VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20)), draft);
  EditDraft([](Charter& charter) {
    charter.members[1].status = MemberStatus::kLeft;
  });
  refuse("ong:victim_support", "conflict", "never given out again");
  EXPECT_TRUE(absl::StartsWith(
      InviteMember(folder_, "ong:victim_support", clock_).status().message(),
      "ong has left the network"));
  // Nor while the version is being signed.
  ASSERT_OK(SignOnce());
  EXPECT_EQ(
      ErrorCodeOf(InviteMember(folder_, "casa5:shelter", clock_).status()),
      "conflict");
}

TEST_F(VerbsTest, AttackAnOldJoinRequestBringsNoFormerOrSuspendedMemberBack) {
  InitAndPublish();
  LeaveJoinRequest("ong");
  ASSERT_OK(Add("ong"));
  SignAndPublish();
  for (const MemberStatus status :
       {MemberStatus::kSuspended, MemberStatus::kLeft}) {
    EditDraft([&](Charter& draft) {
      for (Member& member : draft.members)
        if (member.id == Id("ong")) member.status = status;
    });
    const absl::Status refused = Add("ong").status();
    EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
    EXPECT_EQ(VALUE_OF(folder_.Draft(Newest())).Find(Id("ong"))->status,
              status);
  }
}

TEST_F(VerbsTest, MergingBringsTheSignaturesOfAnotherCopy) {
  Init();
  ASSERT_OK(SignOnce({.key_id = "G1", .yes = true}));
  std::filesystem::rename(folder_.PendingPath(1), scratch_ / "from-g1.json");
  ASSERT_OK(SignOnce({.key_id = "G2", .yes = true}));
  const Outcome outcome =
      VALUE_OF(Merge(folder_, scratch_ / "from-g1.json", clock_));
  EXPECT_EQ(outcome.json["added"], 1);
  EXPECT_EQ(outcome.json["complete"], true);
  EXPECT_EQ(
      VALUE_OF(Merge(folder_, scratch_ / "from-g1.json", clock_)).json["added"],
      0);
  EXPECT_OK(Publish(folder_, "", broker_, clock_));
}

TEST_F(VerbsTest, ShowDiffAndVerifySayWhatWasPublished) {
  InitAndPublish();
  EXPECT_EQ(VALUE_OF(Show(folder_, std::nullopt, false, clock_)).json["hash"],
            Newest().hash.ToString());
  EXPECT_EQ(
      VALUE_OF(Show(folder_, std::nullopt, true, clock_)).json["published"],
      false);
  EXPECT_THAT(Show(folder_, 2, false, clock_).status(),
              StatusIs(absl::StatusCode::kNotFound));
  EditDraft([](Charter& draft) { draft.title = "Another"; });
  EXPECT_TRUE(absl::StrContains(
      VALUE_OF(Diff(folder_, std::nullopt, std::nullopt)).text,
      "title changes from \"Protocol\" to \"Another\""));
  const Outcome verified = VALUE_OF(Verify(folder_, Newest().hash));
  EXPECT_EQ(verified.json["ok"], true);
  EXPECT_EQ(verified.json["root_pinned"], true);
  EXPECT_EQ(verified.exit, 0);
}

}  // namespace
}  // namespace amparo::committee

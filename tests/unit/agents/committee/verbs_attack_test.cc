#include <sys/stat.h>

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agents/committee/draft_verbs.h"
#include "base/error.h"
#include "proto/network/words.h"
#include "tests/unit/agents/committee/samples.h"

// A dishonest broker, or a dishonest signer, tries to get something past the
// committee.

namespace amparo::committee {
namespace {

using CommitteeAttack = CommitteeFixture;

TEST_F(CommitteeAttack, AJoinRequestByAnotherKeyIsNoMember) {
  InitAndPublish();
  const JoinRequest request = LeaveJoinRequest("ong");
  broker_.requests[Id("ong")] =
      SignJoinRequest(request, SigningKey::Generate());
  EXPECT_FALSE(Add("ong").ok());
}

TEST_F(CommitteeAttack, AJoinRequestOfAnotherMemberOrNetworkIsRefused) {
  InitAndPublish();
  LeaveJoinRequest("uls");
  broker_.requests[Id("ong")] = broker_.requests[Id("uls")];
  EXPECT_EQ(ErrorCodeOf(Add("ong").status()), "verification_failed");
  const SigningKey identity = SigningKey::Generate();
  broker_.requests[Id("ong")] =
      SignJoinRequest({Sha256("elsewhere"), Id("ong"), identity.verify_key(),
                       SigningKey::Generate().verify_key(), clock_.Now()},
                      identity);
  EXPECT_EQ(ErrorCodeOf(Add("ong").status()), "verification_failed");
}

TEST_F(CommitteeAttack, ASwappedRequestShowsOtherWordsAndIsNotTaken) {
  InitAndPublish();
  const JoinRequest honest = LeaveJoinRequest("ong");
  const JoinRequest swapped = LeaveJoinRequest("ong");
  dialog_.answer = false;  // the words by phone were others
  EXPECT_EQ(ErrorCodeOf(Add("ong", false).status()), "verification_failed");
  EXPECT_TRUE(absl::StrContains(
      dialog_.told, RequestWords(swapped.identity_key, swapped.witness_key)));
  EXPECT_FALSE(absl::StrContains(
      dialog_.told, RequestWords(honest.identity_key, honest.witness_key)));
  EXPECT_EQ(VALUE_OF(folder_.Draft(Newest())).Find(Id("ong"))->status,
            MemberStatus::kInvited);
}

TEST_F(CommitteeAttack, AReplacedIdentityKeyIsToldAloud) {
  InitAndPublish();
  LeaveJoinRequest("ong");
  ASSERT_OK(Add("ong"));
  SignAndPublish();
  LeaveJoinRequest("ong");
  ASSERT_OK(Add("ong"));
  EXPECT_TRUE(absl::StrContains(dialog_.told, "REPLACES"));
}

TEST_F(CommitteeAttack, ADraftChangedAfterTheFirstSignatureIsNotSigned) {
  Init();
  ASSERT_OK(SignOnce());
  EditDraft([](Charter& draft) { draft.members[0].name = "ghost"; });
  EXPECT_EQ(ErrorCodeOf(SignOnce().status()), "conflict");
  EXPECT_EQ(ErrorCodeOf(Publish(folder_, "", broker_, clock_).status()),
            "conflict");
  EXPECT_TRUE(broker_.charters.empty());
}

TEST_F(CommitteeAttack, NothingIsAddedWhileAVersionIsBeingSigned) {
  InitAndPublish();
  LeaveJoinRequest("ong");
  EditDraft([](Charter& draft) { draft.title = "Another"; });
  ASSERT_OK(SignOnce());
  EXPECT_EQ(ErrorCodeOf(Add("ong").status()), "conflict");
}

TEST_F(CommitteeAttack, TooFewSignaturesAreNotPublished) {
  Init();
  EXPECT_THAT(Publish(folder_, "", broker_, clock_).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(SignOnce());
  ASSERT_OK(SignOnce({.key_id = "G1", .yes = true}));  // the same once more
  EXPECT_THAT(Publish(folder_, "", broker_, clock_).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(broker_.charters.empty());
}

TEST_F(CommitteeAttack, ASignatureThatDoesNotFitIsNotMerged) {
  Init();
  ASSERT_OK(SignOnce({.key_id = "G1", .yes = true}));
  const MultiJws honest = *VALUE_OF(folder_.Pending(1));
  // A stranger's signature, and one by G2's name that is not G2's.
  ASSERT_OK(SignOnce({.key_id = "G2", .yes = true}));
  MultiJws forged = *VALUE_OF(folder_.Pending(1));
  forged.signatures.back().signature[0] ^= 1;
  AddSignature(forged, SigningKey::Generate(), kCharterTyp);
  ASSERT_OK(folder_.WritePending(1, honest));
  ASSERT_OK(WriteFile(scratch_ / "forged.json", FormatMultiJws(forged),
                      FileMode::kPublic));
  const absl::StatusOr<Outcome> merged =
      Merge(folder_, scratch_ / "forged.json", clock_);
  EXPECT_EQ(ErrorCodeOf(merged.status()), "verification_failed");
  EXPECT_TRUE(absl::StrContains(merged.status().message(), "name of G2"));
  EXPECT_EQ(FormatMultiJws(*VALUE_OF(folder_.Pending(1))),
            FormatMultiJws(honest));
}

TEST_F(CommitteeAttack, SignaturesOfAnotherDocumentAreNotMerged) {
  Init();
  ASSERT_OK(SignOnce());
  std::filesystem::rename(folder_.PendingPath(1), scratch_ / "old.json");
  EditDraft([](Charter& draft) { draft.title = "Another"; });
  ASSERT_OK(SignOnce());
  EXPECT_EQ(ErrorCodeOf(Merge(folder_, scratch_ / "old.json", clock_).status()),
            "conflict");
}

TEST_F(CommitteeAttack, AWrongPassphraseSignsNothing) {
  Init();
  ASSERT_OK(WriteFile(scratch_ / "pass", "wrong\n", FileMode::kPrivate));
  EXPECT_EQ(
      ErrorCodeOf(
          SignOnce({.pass_file = scratch_ / "pass", .yes = true}).status()),
      "verification_failed");
  EXPECT_FALSE(FileExists(folder_.PendingPath(1)));
}

TEST_F(CommitteeAttack, AKeyFileUnderAnothersNameSignsNothing) {
  Init();
  std::filesystem::copy_file(folder_.KeyPath("G2"), folder_.KeyPath("G1"),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(ErrorCodeOf(SignOnce({.key_id = "G1",
                                  .pass_file = folder_.PassPath("G2"),
                                  .yes = true})
                            .status()),
            "verification_failed");
}

TEST_F(CommitteeAttack, APassphraseIsAskedForWhereNoFileHoldsIt) {
  Init();
  ASSERT_EQ(std::remove(folder_.PassPath("G1").c_str()), 0);
  EXPECT_EQ(ErrorCodeOf(SignOnce().status()), "verification_failed");
  EXPECT_EQ(dialog_.passphrases, 1);
}

TEST_F(CommitteeAttack, AnEditedPublishedVersionIsFoundByVerify) {
  InitAndPublish();
  const Digest root = Newest().hash;
  EditDraft([](Charter& draft) { draft.title = "Second"; });
  SignAndPublish();
  std::string second = VALUE_OF(ReadFile(folder_.PublishedPath(2), 1 << 20));
  second[second.size() / 2] = second[second.size() / 2] == 'A' ? 'B' : 'A';
  ASSERT_OK(WriteFile(folder_.PublishedPath(2), second, FileMode::kPublic));
  const Outcome outcome = VALUE_OF(Verify(folder_, root));
  EXPECT_EQ(outcome.json["ok"], false);
  EXPECT_EQ(outcome.json["at"], "version 2");
  EXPECT_EQ(outcome.exit, 6);
  EXPECT_FALSE(SignOnce().ok());
}

TEST_F(CommitteeAttack, AVersionTakenAwayIsFoundByVerify) {
  InitAndPublish();
  for (const char* title : {"Second", "Third", "Fourth"}) {
    EditDraft([&](Charter& draft) { draft.title = title; });
    SignAndPublish();
  }
  ASSERT_EQ(VALUE_OF(Verify(folder_, std::nullopt)).exit, 0);
  for (const uint64_t missing : {3, 1}) {
    ASSERT_EQ(std::remove(folder_.PublishedPath(missing).c_str()), 0);
    const Outcome outcome = VALUE_OF(Verify(folder_, std::nullopt));
    EXPECT_EQ(outcome.json["ok"], false);
    EXPECT_EQ(outcome.json["at"], absl::StrCat("version ", missing));
    EXPECT_EQ(outcome.exit, 6);
  }
  // Nor is the one before the gap taken for the newest.
  const absl::Status refusals[] = {
      SignOnce().status(),
      Publish(folder_, "", broker_, clock_).status(),
      Show(folder_, std::nullopt, false, clock_).status(),
      Show(folder_, std::nullopt, true, clock_).status(),
      Diff(folder_, std::nullopt, std::nullopt).status(),
      Add("ong").status(),
      Set(folder_, {.words = {"title", "Fifth"}}).status(),
      InviteMember(folder_, "casa5:shelter", clock_).status(),
      Merge(folder_, folder_.PublishedPath(2), clock_).status(),
  };
  for (const absl::Status& refused : refusals) {
    EXPECT_EQ(ErrorCodeOf(refused), "invalid_state") << refused;
    EXPECT_TRUE(absl::StrContains(refused.message(),
                                  "charter-1.json is missing, but version 2"))
        << refused;
  }
  // The broker has what is missing.
  ASSERT_OK(Fetch(folder_, std::nullopt, broker_));
  EXPECT_EQ(VALUE_OF(Verify(folder_, std::nullopt)).exit, 0);
}

TEST_F(CommitteeAttack, ADamagedKeyFileIsNamed) {
  Init();
  ASSERT_OK(WriteFile(folder_.KeyPath("G1"), "no key\n", FileMode::kPrivate));
  const absl::Status refused = SignOnce({.key_id = "G1", .yes = true}).status();
  EXPECT_TRUE(absl::StrContains(refused.message(), folder_.KeyPath("G1")));
}

TEST_F(CommitteeAttack, AKeyOrPassphraseThatOthersMayReadIsNotUsed) {
  Init();
  for (const std::string& path :
       {folder_.KeyPath("G1"), folder_.PassPath("G1")}) {
    ASSERT_EQ(chmod(path.c_str(), 0644), 0);
    const absl::Status refused =
        SignOnce({.key_id = "G1", .yes = true}).status();
    EXPECT_EQ(ErrorCodeOf(refused), "config");
    EXPECT_TRUE(absl::StrContains(refused.message(), path));
    EXPECT_FALSE(FileExists(folder_.PendingPath(1)));
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  }
  const std::string other = scratch_ / "pass";
  ASSERT_OK(WriteFile(other, "correct horse battery\n", FileMode::kPublic));
  EXPECT_EQ(
      ErrorCodeOf(
          SignOnce({.key_id = "G1", .pass_file = other, .yes = true}).status()),
      "config");
  EXPECT_OK(SignOnce({.key_id = "G1", .yes = true}));
}

TEST_F(CommitteeAttack, AnotherFirstVersionThanThePinnedOneIsFoundByVerify) {
  InitAndPublish();
  const Outcome outcome = VALUE_OF(Verify(folder_, Sha256("another")));
  EXPECT_EQ(outcome.json["code"], "wrong_pin");
  EXPECT_EQ(outcome.exit, 6);
}

}  // namespace
}  // namespace amparo::committee

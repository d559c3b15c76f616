#include "agents/committee/suspend_verbs.h"

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/committee/draft_verbs.h"
#include "agents/committee/running_out.h"
#include "base/error.h"
#include "proto/network/key_directory.h"
#include "proto/network/standings.h"
#include "proto/network/suspension.h"
#include "tests/unit/agents/committee/samples.h"

namespace amparo::committee {
namespace {

// gnr, ong and uls have joined; each holds a governance key, all in one folder.
class SuspendNowTest : public CommitteeFixture {
 protected:
  void SetUp() override {
    InitAndPublish();
    for (const char* member : {"gnr", "ong", "uls"}) {
      LeaveJoinRequest(member);
      ASSERT_OK(Add(member));
    }
    SignAndPublish();
  }
  absl::StatusOr<Outcome> Now(const std::string& member,
                              const std::string& key = "") {
    return SuspendNow(folder_,
                      {.member = member, .sign = {.key_id = key, .yes = true}},
                      dialog_, clock_);
  }
  absl::StatusOr<Outcome> Bring(const std::string& member) {
    return PublishSuspension(folder_, member, broker_, clock_);
  }
  std::string Pending(const std::string& member) {
    return folder_.PendingSuspensionPath(Id(member));
  }
};

TEST_F(SuspendNowTest, TwoInstitutionsSignAndItIsPublished) {
  const Outcome first = VALUE_OF(Now("uls"));
  EXPECT_EQ(first.json["have"], 1);
  EXPECT_EQ(first.json["complete"], false);
  EXPECT_TRUE(absl::StrContains(dialog_.told, "Stops uls"));
  EXPECT_TRUE(absl::StrContains(dialog_.told, "It ends by itself"));
  EXPECT_EQ(ErrorCodeOf(Bring("uls").status()), "invalid_state");
  EXPECT_EQ(VALUE_OF(Now("uls")).json["complete"], true);
  const Outcome published = VALUE_OF(Bring("uls"));
  EXPECT_EQ(published.json["until"],
            FormatUtc(clock_.Now() + kSuspensionLifeMax));
  ASSERT_EQ(broker_.suspensions.size(), 1u);
  KeyDirectory keys;
  keys.SetCharter(Newest(), LeafIndex(0));
  EXPECT_OK(keys.CheckSuspension(broker_.suspensions[0], clock_.Now()));
  EXPECT_FALSE(FileExists(Pending("uls")));
}

TEST_F(SuspendNowTest, ShowSaysWhoIsStoppedAndUntilWhen) {
  const auto show = [&] {
    return VALUE_OF(Show(folder_, std::nullopt, false, clock_));
  };
  EXPECT_EQ(show().json["suspensions"], Json::array());
  clock_.Advance(absl::Hours(1));
  for (int i = 0; i < 2; ++i) ASSERT_OK(Now("uls"));
  EXPECT_EQ(show().json["suspensions"], Json::array());  // not published yet
  ASSERT_OK(Bring("uls"));
  const std::string until = FormatUtc(clock_.Now() + kSuspensionLifeMax);
  EXPECT_EQ(show().json["suspensions"][0]["member"], "uls");
  EXPECT_EQ(show().json["suspensions"][0]["until"], until);
  EXPECT_TRUE(absl::StrContains(
      show().text,
      absl::StrCat("uls  health  active, but SUSPENDED by two keys until ",
                   until)));
  EXPECT_FALSE(absl::StrContains(VALUE_OF(Show(folder_, 1, false, clock_)).text,
                                 "SUSPENDED"));
  // It ends by itself, or by a version that lifts it.
  clock_.Advance(kSuspensionLifeMax);
  EXPECT_EQ(show().json["suspensions"], Json::array());
  clock_.Advance(-kSuspensionLifeMax + absl::Hours(1));
  ASSERT_OK(ChangeStatus(folder_, {StatusVerb::kReinstate, "uls", {}}, clock_));
  SignAndPublish();
  EXPECT_EQ(show().json["suspensions"], Json::array());
}

TEST_F(SuspendNowTest, ASecondOneWhileOneHoldsSaysUntilWhenThatDoes) {
  clock_.Advance(absl::Hours(1));
  for (int i = 0; i < 2; ++i) ASSERT_OK(Now("uls"));
  ASSERT_OK(Bring("uls"));
  const std::string until = FormatUtc(clock_.Now() + kSuspensionLifeMax);
  clock_.Advance(absl::Hours(1));
  for (int i = 0; i < 2; ++i) ASSERT_OK(Now("uls"));
  const absl::Status refused = Bring("uls").status();
  EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
  EXPECT_EQ(refused.message(), "uls is suspended already, until " + until);
  EXPECT_TRUE(absl::StrContains(DetailOf(refused)->hint, "suspend-member"));
  EXPECT_EQ(broker_.suspensions.size(), 1u);
}

TEST_F(SuspendNowTest, TheBrokersRefusalKeepsThePendingFile) {
  ASSERT_OK(Now("uls"));
  ASSERT_OK(Now("uls"));
  broker_.refuse = absl::UnavailableError("away");
  EXPECT_THAT(Bring("uls").status(), StatusIs(absl::StatusCode::kUnavailable));
  broker_.refuse = absl::OkStatus();
  EXPECT_OK(Bring("uls"));
}

TEST_F(SuspendNowTest, KeysOnDifferentMachinesMerge) {
  ASSERT_OK(Now("uls", "G1"));
  // Another machine with the same charters and a key of its own.
  CharterFolder other(scratch_ / "other");
  ASSERT_OK(other.MakeKeyDirectory());
  for (uint64_t version = 1; version <= 2; ++version)
    ASSERT_OK(other.KeepPublished(version, broker_.charters[version - 1]));
  const Outcome merged = VALUE_OF(Merge(other, Pending("uls"), clock_));
  EXPECT_EQ(merged.json["added"], 1);
  for (const char* half : {".key", ".pass"}) {
    const std::string name = absl::StrCat("/keys/G2", half);
    ASSERT_OK(WriteFile(absl::StrCat(scratch_ / "other", name),
                        VALUE_OF(ReadFile(folder_path_ + name, 1 << 16)),
                        FileMode::kPrivate));
  }
  ASSERT_OK(SuspendNow(other, {.member = "uls", .sign = {.yes = true}}, dialog_,
                       clock_));
  EXPECT_EQ(
      VALUE_OF(Merge(folder_, other.PendingSuspensionPath(Id("uls")), clock_))
          .json["complete"],
      true);
  EXPECT_OK(Bring("uls"));
}

TEST_F(SuspendNowTest, WhatNobodyWhoDecidesSignedIsNotTakenIn) {
  const AcceptedCharter charter = Newest();
  MultiJws jws{
      DumpJson(EncodeSuspension({charter.network_id, charter.hash, Id("uls"),
                                 clock_.Now(), clock_.Now() + absl::Hours(1)})),
      {}};
  AddSignature(jws, SigningKey::Generate(), kSuspensionTyp);
  const std::string file = scratch_ / "forged.json";
  ASSERT_OK(WriteFile(file, FormatMultiJws(jws), FileMode::kPublic));
  EXPECT_EQ(ErrorCodeOf(Merge(folder_, file, clock_).status()),
            "verification_failed");
  EXPECT_FALSE(FileExists(Pending("uls")));
}

TEST_F(SuspendNowTest, ABadSignatureUnderAKeysNameIsNamed) {
  ASSERT_OK(Now("uls", "G1"));
  const MultiJws honest = *VALUE_OF(folder_.PendingSuspension(Id("uls")));
  ASSERT_OK(Now("uls", "G2"));
  MultiJws forged = *VALUE_OF(folder_.PendingSuspension(Id("uls")));
  forged.signatures.back().signature[0] ^= 1;
  ASSERT_OK(folder_.WritePendingSuspension(Id("uls"), honest));
  const std::string file = scratch_ / "forged.json";
  ASSERT_OK(WriteFile(file, FormatMultiJws(forged), FileMode::kPublic));
  const absl::Status refused = Merge(folder_, file, clock_).status();
  EXPECT_EQ(ErrorCodeOf(refused), "verification_failed");
  EXPECT_TRUE(absl::StrContains(refused.message(), "name of G2"));
  EXPECT_EQ(FormatMultiJws(*VALUE_OF(folder_.PendingSuspension(Id("uls")))),
            FormatMultiJws(honest));
}

TEST_F(SuspendNowTest, OnlyAnActiveMemberAndForAWeekAtMost) {
  EXPECT_EQ(ErrorCodeOf(Now("auditor").status()), "invalid_state");  // invited
  EXPECT_EQ(ErrorCodeOf(Now("mp").status()), "unknown_member");
  SuspendNowOptions longer{.member = "uls", .sign = {.yes = true}};
  longer.until = clock_.Now() + kSuspensionLifeMax + absl::Seconds(1);
  EXPECT_EQ(ErrorCodeOf(SuspendNow(folder_, longer, dialog_, clock_).status()),
            "usage");
}

TEST_F(SuspendNowTest, NobodySignsUnasked) {
  dialog_.answer = false;
  EXPECT_EQ(
      ErrorCodeOf(
          SuspendNow(folder_, {.member = "uls"}, dialog_, clock_).status()),
      "invalid_state");
  EXPECT_EQ(dialog_.questions, 1);
  EXPECT_FALSE(FileExists(Pending("uls")));
}

TEST_F(SuspendNowTest, AnOldOneIsNotGoneOnWith) {
  ASSERT_OK(Now("uls", "G1"));
  clock_.Advance(kSuspensionLifeMax);
  EXPECT_EQ(VALUE_OF(Now("uls", "G2")).json["have"], 1);
}

TEST_F(SuspendNowTest, TheCommitteeLiftsItByANewDate) {
  ASSERT_OK(Now("uls"));
  ASSERT_OK(Now("uls"));
  ASSERT_OK(Bring("uls"));
  clock_.Advance(absl::Hours(1));
  const Outcome back = VALUE_OF(ChangeStatus(
      folder_, {StatusVerb::kReinstate, "uls", std::nullopt}, clock_));
  EXPECT_EQ(back.json["since"], FormatUtc(clock_.Now()));
  EXPECT_FALSE(back.json["changes"].empty());
}

TEST_F(SuspendNowTest, AMachineThatKnowsOfNoSuspensionLiftsItAndSignersReadSo) {
  const LeafIndex founded(0), suspended(1), lifted(2);
  Standings standings;
  standings.SetCharter(Newest().charter, founded);
  const absl::Time stopped = clock_.Now();
  ASSERT_OK(Now("uls"));
  ASSERT_OK(Now("uls"));
  ASSERT_OK(standings.Suspend(
      FormatMultiJws(*VALUE_OF(folder_.PendingSuspension(Id("uls")))), Newest(),
      suspended, stopped));
  // Published at another machine: nothing of it is here.
  ASSERT_EQ(std::remove(Pending("uls").c_str()), 0);
  ASSERT_FALSE(FileExists(folder_.SuspensionPath(Id("uls"))));
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(standings.SuspendedUntil(Id("uls"), clock_.Now()));

  const Outcome back = VALUE_OF(ChangeStatus(
      folder_, {StatusVerb::kReinstate, "uls", std::nullopt}, clock_));
  EXPECT_EQ(back.json["since"], FormatUtc(clock_.Now()));
  EXPECT_TRUE(absl::StrContains(back.text, "ends a suspension of uls"));
  const Outcome diff = VALUE_OF(Diff(folder_, std::nullopt, std::nullopt));
  EXPECT_TRUE(absl::StrContains(diff.text, "ends a suspension of uls"));
  dialog_.told.clear();
  SignAndPublish();
  EXPECT_TRUE(absl::StrContains(dialog_.told, "ends a suspension of uls"));
  standings.SetCharter(Newest().charter, lifted);
  EXPECT_FALSE(standings.SuspendedUntil(Id("uls"), clock_.Now()));
}

class RunningOutTest : public CommitteeFixture {
 protected:
  // The lines at so many days before `end`.
  std::string LinesAt(absl::Time end, int days) {
    return absl::StrJoin(
        RunningOut(Newest().charter, end - absl::Hours(24) * days), "|");
  }
};

TEST_F(RunningOutTest, TheCharterSaysSoAtSixtyThirtyAndSevenDays) {
  InitAndPublish();
  const absl::Time end = Newest().charter.expires;
  EXPECT_EQ(LinesAt(end, 61), "");
  EXPECT_TRUE(
      absl::StartsWith(LinesAt(end, 60), "Note: the charter ends in 60 days"));
  EXPECT_TRUE(absl::StartsWith(LinesAt(end, 30),
                               "WARNING: the charter ends in 30 days"));
  EXPECT_TRUE(
      absl::StartsWith(LinesAt(end, 7), "URGENT: the charter ends in 7 days"));
  EXPECT_TRUE(absl::StrContains(LinesAt(end, 0), "ran out"));
}

TEST_F(RunningOutTest, ShowAndSignTellIt) {
  InitAndPublish();
  EXPECT_TRUE(VALUE_OF(Show(folder_, std::nullopt, false, clock_))
                  .json["warnings"]
                  .empty());
  clock_.Advance(Newest().charter.expires - clock_.Now() - absl::Hours(48));
  const Outcome shown = VALUE_OF(Show(folder_, std::nullopt, false, clock_));
  EXPECT_EQ(shown.json["warnings"].size(), 1u);
  EXPECT_TRUE(
      absl::StartsWith(shown.text, "URGENT: the charter ends in 2 days"));
  dialog_.told.clear();
  EditDraft([](Charter& draft) { draft.title = "Another"; });
  ASSERT_OK(SignOnce());
  EXPECT_TRUE(absl::StrContains(dialog_.told, "ends in 2 days"));
}

TEST_F(RunningOutTest, AKeyThatRanOutSignsNothing) {
  InitAndPublish();
  EditDraft([&](Charter& draft) {
    draft.governance[0].until = clock_.Now() + absl::Hours(24);
  });
  SignAndPublish();
  clock_.Advance(absl::Hours(24));
  EXPECT_EQ(ErrorCodeOf(SignOnce({.key_id = "G1", .yes = true}).status()),
            "invalid_state");
  const Outcome shown = VALUE_OF(Show(folder_, std::nullopt, false, clock_));
  EXPECT_TRUE(absl::StrContains(shown.text, "G1 of gnr ran out"));
}

TEST_F(RunningOutTest, NoCharterIsSignedForOverFourHundredDays) {
  InitAndPublish();
  EditDraft([&](Charter& draft) {
    draft.expires = clock_.Now() + kCharterLifeMax + absl::Seconds(1);
  });
  EXPECT_EQ(ErrorCodeOf(SignOnce().status()), "invalid_form");
}

}  // namespace
}  // namespace amparo::committee

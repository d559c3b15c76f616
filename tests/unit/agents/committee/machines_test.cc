#include <memory>

#include "absl/strings/match.h"
#include "agents/committee/draft_verbs.h"
#include "agents/committee/key_file.h"
#include "agents/committee/key_verbs.h"
#include "base/error.h"
#include "proto/network/words.h"
#include "tests/unit/agents/committee/samples.h"

// A committee whose keys are never together in one place: a folder, as on a
// machine of its own, for each who holds one.

namespace amparo::committee {
namespace {

class Machines : public CommitteeFixture {
 protected:
  CharterFolder Machine(const std::string& name) {
    return CharterFolder(scratch_ / name);
  }
  KeyStatement NewKeyAt(const std::string& machine, const std::string& id) {
    return VALUE_OF(MakeKeyFiles(Machine(machine),
                                 {.id = id, .member = machine, .local = true},
                                 dialog_, clock_));
  }
  std::string Public(const std::string& machine, const std::string& id) {
    return Machine(machine).PublicPath(id);
  }
  // gnr drafts version 1 with the keys of all three; two of them sign.
  void InitElsewhere() {
    NewKeyAt("gnr", "G1");
    NewKeyAt("ong", "G2");
    NewKeyAt("uls", "G3");
    const std::string file = scratch_ / "network.json";
    ASSERT_OK(
        WriteFile(file, FormatNetworkFile(SampleNetwork()), FileMode::kPublic));
    dialog_.answer = true;
    ASSERT_OK(amparo::committee::Init(
        {.folder = scratch_ / "gnr",
         .network_file = file,
         .members = {"gnr:police", "ong:victim_support", "uls:health"},
         .key_files = {Public("gnr", "G1"), Public("ong", "G2"),
                       Public("uls", "G3")},
         .timezone = "UTC"},
        dialog_, clock_));
  }
  absl::Status SignAt(const std::string& machine, const std::string& id = "") {
    return Sign(Machine(machine), {.key_id = id, .yes = true}, dialog_, clock_)
        .status();
  }
  std::string PendingOf(const std::string& machine) {
    return Machine(machine).PendingPath(Version(machine) + 1);
  }
  std::optional<AcceptedCharter> Newest(const std::string& machine) {
    return VALUE_OF(Machine(machine).Newest());
  }
  uint64_t Version(const std::string& machine) {
    return VALUE_OF(Machine(machine).Chain()).size();
  }
  // The pending file goes from one machine to the next, each signs.
  void SignRound(const std::vector<std::string>& machines) {
    for (size_t i = 0; i < machines.size(); ++i) {
      if (i > 0) {
        ASSERT_OK(
            Merge(Machine(machines[i]), PendingOf(machines[i - 1]), clock_));
      }
      ASSERT_OK(SignAt(machines[i]));
    }
  }
  void PublishFrom(const std::string& last, const std::string& publisher) {
    if (last != publisher) {
      ASSERT_OK(Merge(Machine(publisher), PendingOf(last), clock_));
    }
    ASSERT_OK(Publish(Machine(publisher), "", broker_, clock_));
  }
  void FetchAt(const std::vector<std::string>& machines) {
    for (const std::string& machine : machines)
      ASSERT_OK(Fetch(Machine(machine), std::nullopt, broker_));
  }
  void FoundElsewhere() {
    InitElsewhere();
    SignRound({"gnr", "ong"});
    PublishFrom("ong", "gnr");
    FetchAt({"ong", "uls"});
  }
  absl::Status AddKeyAt(const std::string& machine, const std::string& file,
                        const std::string& replaces) {
    return AddKey(Machine(machine),
                  {.file = file, .replaces = replaces, .words_confirmed = true},
                  dialog_, clock_)
        .status();
  }
};

TEST_F(Machines, FoundANetworkWithKeysThatNeverMeet) {
  FoundElsewhere();
  EXPECT_FALSE(FileExists(Machine("gnr").KeyPath("G2")));
  EXPECT_FALSE(FileExists(Machine("ong").KeyPath("G1")));
  EXPECT_TRUE(FileExists(Machine("uls").PublishedPath(1)));
  ASSERT_EQ(broker_.charters.size(), 1u);
  const Charter charter =
      VALUE_OF(AcceptFirstCharter(broker_.charters[0],
                                  Sha256(broker_.charters[0]), std::nullopt))
          .charter;
  EXPECT_EQ(charter.governance[2].member, Id("uls"));
  EXPECT_EQ(charter.governance_threshold, 2u);
}

TEST_F(Machines, TheNextVersionGoesOverOtherMachines) {
  FoundElsewhere();
  ASSERT_OK(Set(Machine("uls"), {{"title", "Second"}}));
  SignRound({"uls", "ong"});
  PublishFrom("ong", "ong");
  FetchAt({"gnr", "uls"});
  EXPECT_EQ(Version("gnr"), 2u);
  EXPECT_FALSE(FileExists(Machine("uls").PendingPath(2)));
}

TEST_F(Machines, ADraftOfOnesOwnIsNotOverwrittenByAnothers) {
  FoundElsewhere();
  ASSERT_OK(Set(Machine("uls"), {{"title", "Ours"}}));
  ASSERT_OK(Set(Machine("ong"), {{"title", "Theirs"}}));
  ASSERT_OK(SignAt("ong"));
  EXPECT_EQ(
      ErrorCodeOf(Merge(Machine("uls"), PendingOf("ong"), clock_).status()),
      "conflict");
  EXPECT_TRUE(absl::StrContains(
      VALUE_OF(ReadFile(Machine("uls").DraftPath(), 1 << 20)), "Ours"));
}

TEST_F(Machines, AFileOfAnEarlierVersionOrAnotherNetworkIsNotTaken) {
  InitElsewhere();
  ASSERT_OK(SignAt("gnr"));
  const std::string early = scratch_ / "early.json";
  std::filesystem::copy_file(PendingOf("gnr"), early);
  ASSERT_OK(Merge(Machine("ong"), early, clock_));
  ASSERT_OK(SignAt("ong"));
  PublishFrom("ong", "gnr");
  FetchAt({"ong", "uls"});
  const absl::Status old = Merge(Machine("uls"), early, clock_).status();
  EXPECT_EQ(ErrorCodeOf(old), "conflict");
  EXPECT_TRUE(absl::StrContains(old.message(), "published already"));
  // uls was kept from version 2: version 3 does not fit there.
  ASSERT_OK(Set(Machine("gnr"), {{"title", "Second"}}));
  SignRound({"gnr", "ong"});
  PublishFrom("ong", "gnr");
  ASSERT_OK(Set(Machine("gnr"), {{"title", "Third"}}));
  ASSERT_OK(SignAt("gnr"));
  EXPECT_TRUE(absl::StrContains(
      Merge(Machine("uls"), PendingOf("gnr"), clock_).status().message(),
      "not all in this folder"));
}

TEST_F(Machines, MergingBeforeFetchingNamesTheStep) {
  InitElsewhere();
  SignRound({"gnr", "ong"});
  PublishFrom("ong", "gnr");
  // ong signed version 1, and does not have what became of it.
  ASSERT_TRUE(FileExists(Machine("ong").PendingPath(1)));
  ASSERT_OK(Set(Machine("gnr"), {{"title", "Second"}}));
  ASSERT_OK(SignAt("gnr"));
  const absl::Status early =
      Merge(Machine("ong"), PendingOf("gnr"), clock_).status();
  EXPECT_EQ(ErrorCodeOf(early), "conflict");
  EXPECT_TRUE(absl::StrContains(early.message(), "not all in this folder"));
  EXPECT_TRUE(absl::StrContains(DetailOf(early)->hint, "charter fetch"));
  FetchAt({"ong"});
  EXPECT_OK(Merge(Machine("ong"), PendingOf("gnr"), clock_));
}

TEST_F(Machines, AStrangersDraftIsNotTakenOver) {
  FoundElsewhere();
  Charter forged = VALUE_OF(Machine("gnr").Draft(Newest("gnr")));
  const SigningKey eve = SigningKey::Generate();
  forged.governance[0].key = eve.verify_key();
  MultiJws jws{DumpJson(EncodeCharter(forged)), {}};
  AddSignature(jws, eve, kCharterTyp);
  ASSERT_OK(WriteFile(scratch_ / "forged.json", FormatMultiJws(jws),
                      FileMode::kPublic));
  const std::string draft =
      VALUE_OF(ReadFile(Machine("uls").DraftPath(), 1 << 20));
  EXPECT_EQ(
      ErrorCodeOf(
          Merge(Machine("uls"), scratch_ / "forged.json", clock_).status()),
      "verification_failed");
  EXPECT_EQ(VALUE_OF(ReadFile(Machine("uls").DraftPath(), 1 << 20)), draft);
}

TEST_F(Machines, FetchRefusesWhatTheKeysDidNotSign) {
  FoundElsewhere();
  ASSERT_OK(Set(Machine("gnr"), {{"title", "Forged"}}));
  ASSERT_OK(SignAt("gnr"));  // one of the two that it takes
  broker_.charters.push_back(
      VALUE_OF(ReadFile(PendingOf("gnr"), kCharterBytesMax)));
  EXPECT_EQ(ErrorCodeOf(Fetch(Machine("uls"), std::nullopt, broker_).status()),
            "verification_failed");
  EXPECT_EQ(Version("uls"), 1u);
  // Version 1 again in the place of version 2.
  broker_.charters.back() = broker_.charters.front();
  EXPECT_FALSE(Fetch(Machine("uls"), std::nullopt, broker_).ok());
  EXPECT_EQ(Version("uls"), 1u);
}

TEST_F(Machines, FetchOnANewMachineHoldsToThePin) {
  FoundElsewhere();
  EXPECT_EQ(
      ErrorCodeOf(Fetch(Machine("new"), Sha256("other"), broker_).status()),
      "wrong_pin");
  EXPECT_FALSE(FileExists(Machine("new").PublishedPath(1)));
}

TEST_F(Machines, ALostKeyIsReplacedByTheOthers) {
  FoundElsewhere();
  ASSERT_EQ(std::remove(Machine("uls").KeyPath("G3").c_str()), 0);
  NewKeyAt("uls", "G4");
  ASSERT_OK(AddKeyAt("gnr", Public("uls", "G4"), "G3"));
  SignRound({"gnr", "ong"});
  PublishFrom("ong", "gnr");
  FetchAt({"uls", "ong"});
  // From now on the new key decides with another one.
  ASSERT_OK(Set(Machine("gnr"), {{"title", "After"}}));
  SignRound({"gnr", "uls"});
  PublishFrom("uls", "gnr");
  EXPECT_EQ(Version("gnr"), 3u);
}

TEST_F(Machines, ANewCommitteeNeedsTheOldOneAndItself) {
  FoundElsewhere();
  // Two of three keys change at once: the old ones have to agree, and so do
  // the new ones.
  NewKeyAt("ong", "G5");
  NewKeyAt("uls", "G6");
  ASSERT_OK(AddKeyAt("gnr", Public("ong", "G5"), "G2"));
  ASSERT_OK(AddKeyAt("gnr", Public("uls", "G6"), "G3"));
  ASSERT_OK(SignAt("gnr"));
  ASSERT_OK(Merge(Machine("ong"), PendingOf("gnr"), clock_));
  ASSERT_OK(SignAt("ong", "G5"));
  const absl::Status short_of_old =
      Publish(Machine("ong"), "", broker_, clock_).status();
  EXPECT_EQ(ErrorCodeOf(short_of_old), "invalid_state");
  ASSERT_OK(SignAt("ong", "G2"));
  ASSERT_OK(Merge(Machine("gnr"), PendingOf("ong"), clock_));
  ASSERT_OK(Publish(Machine("gnr"), "", broker_, clock_));
  // The keys that went decide nothing any more.
  ASSERT_OK(Set(Machine("gnr"), {{"title", "After"}}));
  EXPECT_EQ(ErrorCodeOf(SignAt("gnr", "G2")), "not_found");
}

TEST_F(Machines, AThresholdChangesByTheOldOneAndTheNewOne) {
  FoundElsewhere();
  ASSERT_OK(Set(Machine("gnr"), {{"governance.threshold", "3"}}));
  SignRound({"gnr", "ong"});
  EXPECT_EQ(ErrorCodeOf(Publish(Machine("ong"), "", broker_, clock_).status()),
            "invalid_state");
  ASSERT_OK(Merge(Machine("uls"), PendingOf("ong"), clock_));
  ASSERT_OK(SignAt("uls"));
  PublishFrom("uls", "gnr");
  // Back to two: three of the old have to sign that.
  FetchAt({"ong", "uls"});
  ASSERT_OK(Set(Machine("gnr"), {{"governance.threshold", "2"}}));
  SignRound({"gnr", "ong"});
  EXPECT_EQ(ErrorCodeOf(Publish(Machine("ong"), "", broker_, clock_).status()),
            "invalid_state");
}

TEST_F(Machines, AnInstitutionWithTwoKeysIsCountedOnce) {
  FoundElsewhere();
  NewKeyAt("gnr", "G4");
  ASSERT_OK(AddKeyAt("gnr", Public("gnr", "G4"), ""));
  SignRound({"gnr", "ong"});
  PublishFrom("ong", "gnr");
  ASSERT_OK(Set(Machine("gnr"), {{"title", "Alone"}}));
  ASSERT_OK(SignAt("gnr", "G1"));
  ASSERT_OK(SignAt("gnr", "G4"));
  EXPECT_EQ(ErrorCodeOf(Publish(Machine("gnr"), "", broker_, clock_).status()),
            "invalid_state");
}

TEST_F(Machines, AKeyIsNotRemovedBelowTheThreshold) {
  FoundElsewhere();
  ASSERT_OK(RemoveKey(Machine("gnr"), "G3"));
  const absl::Status refused = RemoveKey(Machine("gnr"), "G2").status();
  EXPECT_TRUE(
      absl::StrContains(DetailOf(refused)->hint, "governance.threshold"));
  EXPECT_EQ(ErrorCodeOf(RemoveKey(Machine("gnr"), "G9").status()), "not_found");
}

TEST_F(Machines, AKeyIsTakenOnlyWithItsWordsItsHolderAndAFreeId) {
  FoundElsewhere();
  const KeyStatement made = NewKeyAt("uls", "G4");
  dialog_.answer = false;
  EXPECT_EQ(ErrorCodeOf(AddKey(Machine("gnr"), {.file = Public("uls", "G4")},
                               dialog_, clock_)
                            .status()),
            "verification_failed");
  EXPECT_TRUE(absl::StrContains(dialog_.told, GovernanceKeyWords(made.key)));
  // An id that another key has, or had in the version before.
  NewKeyAt("mp", "G1");
  EXPECT_EQ(ErrorCodeOf(AddKeyAt("gnr", Public("mp", "G1"), "")),
            "unknown_member");
  ASSERT_OK(RemoveKey(Machine("gnr"), "G3"));
  EXPECT_EQ(ErrorCodeOf(AddKeyAt("gnr", Public("uls", "G3"), "")), "conflict");
  // The same key under another id.
  EXPECT_EQ(ErrorCodeOf(AddKeyAt("gnr", Public("uls", "G4"), "G9")),
            "not_found");
  EXPECT_EQ(ErrorCodeOf(AddKey(Machine("gnr"),
                               {.file = Public("uls", "G4"),
                                .until = clock_.Now(),
                                .words_confirmed = true},
                               dialog_, clock_)
                            .status()),
            "usage");
  ASSERT_OK(AddKeyAt("gnr", Public("uls", "G4"), ""));
}

// Not the version in force alone: whoever reads an old one must know whose key
// G3 is.
TEST_F(Machines, AnIdThatAnEarlierVersionGaveToAnotherKeyIsRefused) {
  FoundElsewhere();
  ASSERT_OK(RemoveKey(Machine("gnr"), "G3"));
  SignRound({"gnr", "ong"});
  PublishFrom("ong", "gnr");
  ASSERT_OK(Set(Machine("gnr"), {{"title", "After"}}));
  FetchAt({"ong", "uls"});
  SignRound({"gnr", "ong"});
  PublishFrom("ong", "gnr");
  FetchAt({"ong", "uls"});
  // A machine that never saw the first G3 makes another.
  const CharterFolder other = Machine("new");
  const KeyStatement made = VALUE_OF(MakeKeyFiles(
      other, {.id = "G3", .member = "uls", .local = true}, dialog_, clock_));
  EXPECT_EQ(ErrorCodeOf(AddKeyAt("gnr", other.PublicPath("G3"), "")),
            "conflict");
  // By hand it can be written into a draft, and nobody signs it.
  const auto before = Newest("gnr");
  Charter draft = VALUE_OF(Machine("gnr").Draft(before));
  draft.governance.push_back(
      {"G3", Id("uls"), made.key, draft.governance[0].until});
  ASSERT_OK(Machine("gnr").WriteDraft(draft, before));
  EXPECT_EQ(ErrorCodeOf(SignAt("gnr")), "conflict");
  EXPECT_FALSE(FileExists(PendingOf("gnr")));
  // The key that had the id may come back under it.
  draft.governance.pop_back();
  ASSERT_OK(Machine("gnr").WriteDraft(draft, before));
  ASSERT_OK(AddKeyAt("gnr", Public("uls", "G3"), ""));
  ASSERT_OK(SignAt("gnr"));
}

TEST_F(Machines, AStatementThatItsKeyDidNotSignIsRefused) {
  FoundElsewhere();
  KeyStatement statement = NewKeyAt("uls", "G4");
  const std::string forged =
      SignKeyStatement(statement, SigningKey::Generate());
  ASSERT_OK(WriteFile(scratch_ / "forged", forged, FileMode::kPublic));
  EXPECT_EQ(ErrorCodeOf(AddKeyAt("gnr", scratch_ / "forged", "")),
            "verification_failed");
  ASSERT_OK(WriteFile(scratch_ / "forged", "nonsense", FileMode::kPublic));
  EXPECT_EQ(ErrorCodeOf(AddKeyAt("gnr", scratch_ / "forged", "")),
            "invalid_form");
}

TEST_F(Machines, AKeyFileIsNeverOverwrittenAndItsIdNamesAFile) {
  NewKeyAt("gnr", "G1");
  const std::string key =
      VALUE_OF(ReadFile(Machine("gnr").KeyPath("G1"), 1 << 16));
  for (const char* id : {"G1", "../G2", "", "a/b", "-x", "G 1"})
    EXPECT_FALSE(MakeKeyFiles(Machine("gnr"),
                              {.id = id, .member = "gnr", .local = true},
                              dialog_, clock_)
                     .ok())
        << id;
  EXPECT_EQ(VALUE_OF(ReadFile(Machine("gnr").KeyPath("G1"), 1 << 16)), key);
}

TEST_F(Machines, AKeyIsUnderItsHoldersPassphrase) {
  ASSERT_OK(WriteFile(scratch_ / "short", "short\n", FileMode::kPrivate));
  EXPECT_EQ(ErrorCodeOf(MakeKeyFiles(Machine("gnr"),
                                     {.id = "G1",
                                      .member = "gnr",
                                      .pass_file = scratch_ / "short"},
                                     dialog_, clock_)
                            .status()),
            "usage");
  EXPECT_FALSE(FileExists(Machine("gnr").KeyPath("G1")));
}

TEST_F(Machines, KeysMadeElsewhereFoundOnlyForDifferentFounders) {
  NewKeyAt("gnr", "G1");
  NewKeyAt("gnr", "G2");
  NewKeyAt("mp", "G3");
  const std::string file = scratch_ / "network.json";
  ASSERT_OK(
      WriteFile(file, FormatNetworkFile(SampleNetwork()), FileMode::kPublic));
  const auto init = [&](std::vector<std::string> keys, bool confirmed) {
    return amparo::committee::Init({.folder = scratch_ / "draft",
                                    .network_file = file,
                                    .members = {"gnr:police", "ong:health"},
                                    .key_files = std::move(keys),
                                    .words_confirmed = confirmed,
                                    .timezone = "UTC"},
                                   dialog_, clock_)
        .status();
  };
  EXPECT_EQ(ErrorCodeOf(init({Public("gnr", "G1"), Public("gnr", "G2")}, true)),
            "usage");
  EXPECT_EQ(ErrorCodeOf(init({Public("mp", "G3")}, true)), "usage");
  EXPECT_EQ(ErrorCodeOf(init({Public("gnr", "G1")}, false)),
            "verification_failed");
  EXPECT_FALSE(FileExists(Machine("draft").DraftPath()));
}

}  // namespace
}  // namespace amparo::committee

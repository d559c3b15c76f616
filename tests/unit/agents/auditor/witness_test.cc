#include "agents/auditor/witness/witness.h"

#include <sys/stat.h>

#include <cstring>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agents/auditor/checkpoint_pair.h"
#include "base/error.h"
#include "base/files.h"
#include "gtest/gtest.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/signed_tree.h"

namespace amparo::auditor {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;

class WitnessFolderTest : public testing::Test {
 protected:
  WitnessFolderTest() {
    verifier_ = VALUE_OF(folder_.Create("audit.example/w1")).ToString();
    EXPECT_OK(folder_.AddLog(log_.key()));
  }
  Witness Open() { return VALUE_OF(Witness::Open(folder_, clock_)); }
  absl::Status OpenFails() { return Witness::Open(folder_, clock_).status(); }
  static HttpAnswer Ask(Witness& witness, absl::string_view body) {
    return witness.Answer("/add-checkpoint", body);
  }
  // The one file of the one log.
  std::string StatePath() {
    return fs::directory_iterator(path_ + "/state")->path().string();
  }
  // That `answer` is this witness's word on `size`, and when.
  absl::Time Cosigned(const HttpAnswer& answer, uint64_t size) {
    EXPECT_EQ(answer.status, 200u) << answer.body;
    const Note note = VALUE_OF(ParseNote(
        absl::StrCat(FormatCheckpoint(log_.At(size)), "\n", answer.body)));
    return VALUE_OF(
        VerifyCosignature(note, VALUE_OF(NoteVerifier::Parse(verifier_))));
  }
  CheckpointPair CompareEvidence(const std::string& path) {
    const auto notes = SplitNotes(VALUE_OF(ReadFile(path, 1 << 20)));
    EXPECT_EQ(notes.size(), 2u);
    const std::string request = VALUE_OF(ReadFile(
        path.substr(0, path.size() - strlen(".notes")) + ".request", 1 << 20));
    return VALUE_OF(
        CompareCheckpoints(notes[0], notes[1], log_.key(), nullptr,
                           VALUE_OF(ParseAddCheckpoint(request)).proof));
  }

  const SignedTree log_{"pt-exemplo"};
  const SignedTree fork_{log_, 1};
  FakeClock clock_;
  ScratchFolder scratch_;
  const std::string path_ = scratch_ / "witness";
  const WitnessFolder folder_{path_};
  std::string verifier_;
};

TEST_F(WitnessFolderTest, AttackByAKeyThatOthersMayReadIsRefused) {
  for (const char* file : {"/witness.key", "/witness.pass", ""}) {
    const std::string path = path_ + file;
    const fs::perms before = fs::status(path).permissions();
    fs::permissions(path, fs::perms::group_read, fs::perm_options::add);
    EXPECT_EQ(ErrorCodeOf(OpenFails()), "config") << path;
    fs::permissions(path, before);
    Open();
  }
}

TEST_F(WitnessFolderTest, CosignsWhatGrowsAndRemembersIt) {
  Witness witness = Open();
  EXPECT_EQ(Cosigned(Ask(witness, log_.Body(0, 5)), 5), clock_.Now());
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Cosigned(Ask(witness, log_.Body(5, 5)), 5), clock_.Now());
  Cosigned(Ask(witness, log_.Body(5, 12)), 12);
  // Another process, as after a crash: nothing was said at the end.
  Witness again = Open();
  const HttpAnswer stale = Ask(again, log_.Body(5, 12));
  EXPECT_EQ(stale.status, 409u);
  EXPECT_EQ(stale.content_type, "text/x.tlog.size");
  EXPECT_EQ(stale.body, "12\n");
  Cosigned(Ask(again, log_.Body(12, 20)), 20);
}

TEST_F(WitnessFolderTest, AnswersAtOnePageOnly) {
  Witness witness = Open();
  for (const char* path : {"/", "/add-checkpoint/", "/add-checkpoin",
                           "/add-checkpoint?x", "/checkpoint"})
    EXPECT_EQ(witness.Answer(path, log_.Body(0, 5)).status, 404u) << path;
  Cosigned(witness.Answer("/some/prefix/add-checkpoint", log_.Body(0, 5)), 5);
}

// The machine stops after the sync and before the answer: the log asks again.
TEST_F(WitnessFolderTest, ACrashBetweenSyncAndAnswerCostsOneQuestion) {
  Cosigned(Ask(*std::make_unique<Witness>(Open()), log_.Body(0, 5)), 5);
  ASSERT_OK(folder_.Remember("pt-exemplo", log_.Note(12)));
  Witness witness = Open();
  EXPECT_EQ(Ask(witness, log_.Body(5, 12)).body, "12\n");
  Cosigned(Ask(witness, log_.Body(12, 12)), 12);
  EXPECT_EQ(Ask(witness, fork_.Body(12, 12)).status, 409u);
}

TEST_F(WitnessFolderTest, NothingIsCosignedThatCouldNotBeKept) {
  Witness witness = Open();
  Cosigned(Ask(witness, log_.Body(0, 5)), 5);
  const std::string state = StatePath();
  fs::rename(state, state + ".away");
  fs::create_directories(state + "/in-the-way");
  const HttpAnswer failed = Ask(witness, log_.Body(5, 12));
  EXPECT_EQ(failed.status, 503u);
  EXPECT_FALSE(absl::StrContains(failed.body, "audit.example"));
  // What it said before still holds, and it goes on when there is a disk.
  EXPECT_EQ(Ask(witness, log_.Body(4, 12)).body, "5\n");
  fs::remove_all(state);
  Cosigned(Ask(witness, log_.Body(5, 12)), 12);
}

// A witness that forgot could vouch for a second history.
TEST_F(WitnessFolderTest, AttackAStateThatWentMissingIsNoFreshStart) {
  {
    Witness witness = Open();
    Cosigned(Ask(witness, log_.Body(0, 5)), 5);
  }
  const std::string state = StatePath();
  const std::string good = VALUE_OF(ReadFile(state, 1 << 20));
  for (const std::string& bad :
       {std::string(), std::string("x"), good.substr(0, good.size() / 2),
        SignedTree("pt-exemplo").Note(5), SignedTree("pt-outro").Note(5)}) {
    ASSERT_OK(WriteFile(state, bad, FileMode::kPrivate));
    EXPECT_EQ(ErrorCodeOf(OpenFails()), "tampered") << bad;
  }
  fs::remove(state);
  EXPECT_EQ(ErrorCodeOf(OpenFails()), "tampered");
  // Nor does it come back by naming the log once more.
  EXPECT_THAT(folder_.AddLog(log_.key()), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(ErrorCodeOf(OpenFails()), "tampered");
  ASSERT_OK(WriteFile(state, good, FileMode::kPrivate));
  Witness witness = Open();
  Cosigned(Ask(witness, log_.Body(5, 12)), 12);
}

// As versions before left it where nothing was cosigned: it starts by the
// operator's word only, and is told which.
TEST_F(WitnessFolderTest, AnEmptyStateIsNoFreshStartButForItsOperator) {
  const std::string state = StatePath();
  ASSERT_OK(WriteFile(state, "", FileMode::kPrivate));
  const absl::Status refused = OpenFails();
  EXPECT_EQ(ErrorCodeOf(refused), "tampered");
  EXPECT_TRUE(absl::StrContains(DetailOf(refused)->hint, "\"none yet\""));
  EXPECT_TRUE(absl::StrContains(DetailOf(refused)->hint, state));
  ASSERT_OK(WriteFile(state, "none yet\n", FileMode::kPrivate));
  Witness witness = Open();
  Cosigned(Ask(witness, log_.Body(0, 5)), 5);
}

TEST_F(WitnessFolderTest, AttackAForkIsRefusedAndKept) {
  Witness witness = Open();
  Cosigned(Ask(witness, log_.Body(0, 5)), 5);
  EXPECT_EQ(Ask(witness, fork_.Body(5, 5)).status, 409u);
  EXPECT_EQ(Ask(witness, fork_.Body(5, 11)).status, 422u);
  const auto evidence = folder_.Evidence();
  ASSERT_EQ(evidence.size(), 2u);
  EXPECT_EQ(CompareEvidence(evidence[0]).verdict, PairVerdict::kFork);
  const CheckpointPair pair = CompareEvidence(evidence[1]);
  EXPECT_EQ(pair.verdict, PairVerdict::kInconsistent);
  EXPECT_EQ(pair.proven_root, fork_.At(5).root);
  // The same again is no more evidence, and the log it knows goes on.
  EXPECT_EQ(Ask(witness, fork_.Body(5, 11)).status, 422u);
  EXPECT_EQ(folder_.Evidence().size(), 2u);
  Cosigned(Ask(witness, log_.Body(5, 11)), 11);
}

TEST_F(WitnessFolderTest, ALogThatWasPutBackIsKept) {
  Witness witness = Open();
  AddCheckpoint request = log_.Request(0, 7);
  request.note = log_.NoteAt(7, clock_.Now());
  Cosigned(Ask(witness, FormatAddCheckpoint(request)), 7);
  request = log_.Request(0, 5);
  request.note = log_.NoteAt(5, clock_.Now() + absl::Hours(1));
  EXPECT_EQ(Ask(witness, FormatAddCheckpoint(request)).body, "7\n");
  ASSERT_EQ(folder_.Evidence().size(), 1u);
  EXPECT_EQ(CompareEvidence(folder_.Evidence()[0]).verdict,
            PairVerdict::kRollback);
}

// Only the holder of the log's key can fill the folder, and not for ever.
TEST_F(WitnessFolderTest, AttackAFloodFillsNothing) {
  Witness witness = Open();
  Cosigned(Ask(witness, log_.Body(0, 5)), 5);
  const SignedTree thief("pt-exemplo"), stranger("pt-outro");
  for (uint64_t size = 5; size < 50; ++size) {
    Ask(witness, thief.Body(5, size));
    Ask(witness, stranger.Body(5, size));
    AddCheckpoint request = log_.Request(5, size + 1);
    request.proof[0] = Sha256("another");
    Ask(witness, FormatAddCheckpoint(request));
  }
  EXPECT_TRUE(folder_.Evidence().empty());
  for (uint8_t tag = 1; tag < 90; ++tag)
    Ask(witness, SignedTree(log_, tag).Body(5, 6));
  EXPECT_EQ(folder_.Evidence().size(), WitnessFolder::kEvidenceOfAKindMax);
  Cosigned(Ask(witness, log_.Body(5, 6)), 6);
}

TEST_F(WitnessFolderTest, FollowsALogThatChangesItsKey) {
  const SignedTree next("pt-exemplo");
  {
    Witness witness = Open();
    Cosigned(Ask(witness, log_.Body(0, 5)), 5);
    EXPECT_EQ(Ask(witness, next.Body(5, 7)).status, 403u);
  }
  ASSERT_OK(folder_.AddLog(next.key()));
  Witness witness = Open();
  Cosigned(Ask(witness, next.Body(5, 7)), 7);
  Cosigned(Ask(witness, log_.Body(7, 9)), 9);
}

TEST_F(WitnessFolderTest, KeepsEachLogApart) {
  const SignedTree other("pt-outro");
  ASSERT_OK(folder_.AddLog(other.key()));
  Witness witness = Open();
  Cosigned(Ask(witness, log_.Body(0, 5)), 5);
  EXPECT_EQ(Ask(witness, other.Body(5, 7)).body, "0\n");
  EXPECT_EQ(Ask(witness, other.Body(0, 7)).status, 200u);
  EXPECT_EQ(Ask(witness, log_.Body(7, 7)).body, "5\n");
  EXPECT_EQ(Open().memory().size(), 2u);
}

TEST_F(WitnessFolderTest, IsOneProcesssAtATime) {
  {
    const WitnessFolder::Lock lock = VALUE_OF(folder_.TakeLock());
    EXPECT_EQ(ErrorCodeOf(folder_.TakeLock().status()), "conflict");
  }
  EXPECT_OK(folder_.TakeLock());
  EXPECT_THAT(WitnessFolder(scratch_ / "nothing").TakeLock(),
              StatusIs(StatusCode::kNotFound));
}

TEST_F(WitnessFolderTest, MakesAKeyOnceAndKeepsItToItself) {
  EXPECT_EQ(ErrorCodeOf(folder_.Create("audit.example/w1").status()),
            "conflict");
  for (const char* name : {"witness.key", "witness.pass", "logs"}) {
    struct stat found;
    ASSERT_EQ(stat((path_ + "/" + name).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u) << name;
  }
  for (const char* bad : {"", "a b", "a+b", "a\n"})
    EXPECT_EQ(
        ErrorCodeOf(WitnessFolder(scratch_ / "other").Create(bad).status()),
        "usage")
        << bad;
  // A key that is not the one that the charter names signs nothing.
  ASSERT_OK(WitnessFolder(scratch_ / "second").Create("audit.example/w1"));
  for (const char* name : {"/witness.key", "/witness.pass"})
    fs::copy_file((scratch_ / "second") + name, path_ + name,
                  fs::copy_options::overwrite_existing);
  EXPECT_EQ(ErrorCodeOf(OpenFails()), "tampered");
}

TEST_F(WitnessFolderTest, TakesOnlyKeysOfLogs) {
  EXPECT_THAT(folder_.AddLog(VALUE_OF(NoteVerifier::Parse(verifier_))),
              StatusIs(StatusCode::kInvalidArgument));
  ASSERT_OK(WriteFile(path_ + "/logs", verifier_ + "\n", FileMode::kPrivate));
  EXPECT_EQ(ErrorCodeOf(OpenFails()), "config");
}

}  // namespace
}  // namespace amparo::auditor

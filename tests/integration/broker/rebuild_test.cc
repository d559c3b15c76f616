#include "broker/daemon/rebuild.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "broker/daemon/commands.h"
#include "crypto/note.h"
#include "crypto/random.h"
#include "proto/envelope/log_folder.h"
#include "tests/support/broker_server.h"
#include "tests/support/status_matchers.h"

// What a backup asks of the mirrors before it becomes the log again.

namespace amparo::broker {
namespace {

namespace fs = std::filesystem;
using absl::StatusCode;
using testing::HasSubstr;

// A network whose broker was stopped, backed up, and went on; with what its
// members have of each moment.
class RebuildBackup : public testing::Test {
 protected:
  RebuildBackup() {
    broker.Found({"ong"});
    early = Mirror("early");
    Log("before the backup");
    then = Mirror("then");
    EXPECT_OK(Backup(broker.data(), folder / "backup", SystemClock()).status());
    Log("after it");
    late = Mirror("late");
  }
  // An entry, under a checkpoint when the broker has stopped.
  void Log(const std::string& title) {
    if (!broker.IsRunning()) broker.Start();
    Charter draft = broker.NextDraft();
    draft.title = title;
    EXPECT_OK(broker.Publish(broker.committee().Sign(draft)));
    broker.Stop();
  }
  std::string Mirror(const std::string& name) {
    if (broker.IsRunning()) broker.Stop();
    EXPECT_OK(Export(broker.data(), folder / name).status());
    return folder / name;
  }
  absl::Status Refused(const RebuildFrom& from) {
    const absl::Status refused = Rebuild(backup, from).status();
    // What is refused changes nothing, and does not run.
    EXPECT_TRUE(FileExists(backup.backup_mark()));
    EXPECT_FALSE(FileExists(backup.rebuilt_store()));
    return refused;
  }
  void ExpectNobodySays(const RebuildFrom& from) {
    const absl::Status refused = Refused(from);
    EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition));
    EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
    const auto detail = DetailOf(refused);
    ASSERT_TRUE(detail.has_value());
    EXPECT_THAT(detail->hint, HasSubstr("--nothing-since"));
  }

  BrokerServer broker;
  ScratchFolder folder;
  const DataDir backup{folder / "backup"};
  std::string early, then, late;  // mirrors of before, at and after it
};

TEST_F(RebuildBackup, TakesAMirrorThatSaysWhatCameSince) {
  const Answer answer = VALUE_OF(Rebuild(backup, {{early, late}}));
  EXPECT_GT(answer.json["size"], answer.json["size_before"]);
  EXPECT_EQ(answer.json["by_word"], false);
  EXPECT_FALSE(FileExists(backup.backup_mark()));
  EXPECT_OK(Check(backup).status());
}

TEST_F(RebuildBackup, IsRefusedWhereNoMirrorReachesItsEnd) {
  ExpectNobodySays({{early}});
}

// A note that the log's key did not sign is passed over, as what is left of an
// earlier key would be: it must not be believed for that.
TEST_F(RebuildBackup, AttackAMirrorClaimsASizeThatNobodySigned) {
  const Digest root = Sha256("no log");
  const std::string signature = ToBase64(RandomBytes(4 + 64));
  ASSERT_OK(WriteFile(absl::StrCat(early, "/", kNewestFile),
                      absl::StrCat(broker.network(), "\n", uint64_t{1} << 40,
                                   "\n", ToBase64(root.bytes()),
                                   "\n\n\u2014 stranger ", signature, "\n"),
                      FileMode::kPrivate));
  ExpectNobodySays({{early}});
}

// Nor is one that it signed, with nobody's entries behind it: the backup's own
// broker did, and that says nothing of what came then.
TEST_F(RebuildBackup, ALoneCheckpointDoesNotStandForAMirror) {
  ExpectNobodySays({{early}, {absl::StrCat(then, "/", kCheckpointFile)}});
  EXPECT_OK(Rebuild(backup, {{then}}).status());
}

TEST_F(RebuildBackup, GoesByTheOperatorsWordWhereNoMirrorReachesItsEnd) {
  const Answer answer = VALUE_OF(Rebuild(backup, {{early}, {}, true}));
  EXPECT_EQ(answer.json["size"], answer.json["size_before"]);
  EXPECT_EQ(answer.json["by_word"], true);
  EXPECT_THAT(answer.text, HasSubstr("your word"));
  EXPECT_FALSE(FileExists(backup.backup_mark()));
  EXPECT_OK(Check(backup).status());
  // It was wrong, and the broker has not run since: still mended.
  EXPECT_GT(VALUE_OF(Rebuild(backup, {{late}})).json["size"],
            answer.json["size"]);
}

TEST_F(RebuildBackup, NeedsNoWordWhereAMirrorReachesItsEnd) {
  EXPECT_EQ(VALUE_OF(Rebuild(backup, {{late}, {}, true})).json["by_word"],
            false);
}

TEST_F(RebuildBackup, TheWordStandsInForNothingElse) {
  // Somebody was shown more.
  const std::string newest = absl::StrCat(late, "/", kCheckpointFile);
  const absl::Status known = Refused({{early}, {newest}, true});
  EXPECT_THAT(known, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(known.message()), HasSubstr("no mirror reaches"));
  // So was this directory, by what lies beside its store.
  fs::copy(newest, backup.last_checkpoint());
  EXPECT_THAT(Refused({{early}, {}, true}), StatusIs(StatusCode::kDataLoss));
  fs::remove(backup.last_checkpoint());
  // A mirror that is not what was signed.
  std::string bundle;
  for (const auto& file :
       fs::recursive_directory_iterator(absl::StrCat(early, "/tile/entries")))
    if (file.is_regular_file()) bundle = file.path().string();
  std::string bent = VALUE_OF(ReadFile(bundle, 1 << 20));
  bent.back() ^= 1;
  ASSERT_OK(WriteFile(bundle, bent, FileMode::kPrivate));
  const absl::Status tampered = Refused({{early}, {}, true});
  EXPECT_THAT(tampered, StatusIs(StatusCode::kDataLoss));
  EXPECT_EQ(ErrorCodeOf(tampered), "tampered");
}

TEST_F(RebuildBackup, TheWordHidesNoSecondHistory) {
  // The broker went on from the backup by itself.
  fs::remove_all(broker.data().store());
  fs::copy(backup.store(), broker.data().store(), fs::copy_options::recursive);
  fs::remove(broker.data().last_checkpoint());
  Log("in its place");
  Log("and more");
  ASSERT_OK(Backup(broker.data(), folder / "second", SystemClock()).status());
  const DataDir second(folder / "second");
  // It ends before the second one's end, as an old mirror would.
  const absl::Status refused = Rebuild(second, {{late}, {}, true}).status();
  EXPECT_THAT(refused, StatusIs(StatusCode::kDataLoss));
  EXPECT_EQ(ErrorCodeOf(refused), "forked");
  EXPECT_TRUE(FileExists(second.fork_evidence()));
  EXPECT_TRUE(FileExists(second.backup_mark()));
}

// The broker's own directory: a mirror that comes late brings what is missing,
// and how far it goes says nothing.
TEST_F(RebuildBackup, WhatIsNoBackupMayTakeAnOldMirrorAlsoAfterACrash) {
  const DataDir& own = broker.data();
  EXPECT_OK(Rebuild(own, {{early}}).status());
  ASSERT_OK(WriteFile(own.backup_mark(), "{\"schema\":\"broker_backup/1\"}\n",
                      FileMode::kPrivate));
  EXPECT_OK(Rebuild(own, {{early}}).status());
  EXPECT_FALSE(FileExists(own.backup_mark()));
}

}  // namespace
}  // namespace amparo::broker

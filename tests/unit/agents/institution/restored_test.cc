#include <string>

#include "base/error.h"
#include "tests/adversary/victims.h"

// An agent whose disk was lost, and that came back from an older backup.

namespace amparo::agent {
namespace {

class RestoredAgent : public Victims {
 protected:
  absl::Status Show(const std::string& referral) {
    return uls().referrals().Show(uls().officer(), referral, {}, true).status();
  }
  void Away(bool away) {
    for (const char* id : {"gnr", "mp", "cpcj", "ong"})
      world_.agent(id).witnesses = !away;
  }
};

TEST_F(RestoredAgent, ShowsAgainWhatCameSinceTheBackup) {
  const std::string before = Refer();
  world_.Settle();
  const auto backup = uls().Backup();
  const std::string after = Refer();
  world_.Settle();
  ASSERT_TRUE(Knows(uls(), after));
  uls().Restore(backup);
  EXPECT_FALSE(Knows(uls(), after));
  world_.Settle();
  world_.Settle();
  EXPECT_OK(Show(before));
  EXPECT_OK(Show(after));
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  EXPECT_FALSE(uls().restored().At());
  ExpectHonestTrafficFlows();
}

TEST_F(RestoredAgent, ShowsNoCaseBeforeItsPeerAnswered) {
  const std::string referral = Refer();
  world_.Settle();
  uls().Restore(uls().Backup());
  EXPECT_EQ(ErrorCodeOf(Show(referral)), "invalid_state");
  ong().port().down = true;
  world_.Settle();
  EXPECT_EQ(ErrorCodeOf(Show(referral)), "invalid_state");
  uls().Restart();
  EXPECT_EQ(ErrorCodeOf(Show(referral)), "invalid_state");
  ong().port().down = false;
  world_.Settle();
  world_.Settle();
  EXPECT_OK(Show(referral));
}

TEST_F(RestoredAgent, APersonMayGoOnWithoutAPeerThatStaysSilent) {
  const std::string referral = Refer();
  world_.Settle();
  const MemberId& peer = world_.broker().Id("ong");
  uls().Restore(uls().Backup());
  ong().port().down = true;
  world_.Settle();
  world_.clock().Advance(absl::Hours(47));
  world_.Settle();
  EXPECT_FALSE(HasAlarm(uls(), "unanswered"));
  EXPECT_FALSE(uls().restored().GoOnWithout(peer, uls().alarms()).ok());
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();
  EXPECT_TRUE(HasAlarmFor(uls(), "unanswered", peer));
  EXPECT_EQ(uls().alarms().List().size(), 1u);  // all others answered
  EXPECT_EQ(ErrorCodeOf(Show(referral)), "invalid_state");
  EXPECT_OK(uls().restored().GoOnWithout(peer, uls().alarms()));
  EXPECT_OK(Show(referral));
  world_.Settle();
  EXPECT_FALSE(HasAlarm(uls(), "unanswered"));
  EXPECT_OK(Show(referral));
}

TEST_F(RestoredAgent, IsAnsweredWhenItsNewKeyIsOldEnoughOrItsWordsWereCompared) {
  world_.RequireQuorum(4, absl::Hours(24));
  world_.clock().Advance(absl::Hours(25));
  world_.Settle();
  const std::string referral = Refer();
  world_.Settle();
  ASSERT_TRUE(Knows(uls(), referral));
  const auto backup = uls().Backup();
  uls().Restore(backup);
  world_.Settle();
  world_.Settle();
  EXPECT_EQ(ErrorCodeOf(Show(referral)), "invalid_state");
  world_.clock().Advance(absl::Hours(25));
  world_.Settle();
  world_.Settle();
  EXPECT_OK(Show(referral));

  uls().Restore(backup);
  world_.Settle();
  EXPECT_EQ(ErrorCodeOf(Show(referral)), "invalid_state");
  for (const char* peer : {"gnr", "mp", "cpcj", "ong"}) {
    PeerBook& book = world_.agent(peer).peers();
    const MemberId& id = world_.broker().Id("uls");
    EXPECT_OK(book.ConfirmKeys(id, book.KeyWordsOf(id)));
  }
  world_.Settle();
  world_.Settle();
  EXPECT_OK(Show(referral));
}

TEST_F(RestoredAgent, HasNoneOfTheKeysThatSignOrOpenMail) {
  for (const auto& [key, value] : uls().Backup()) {
    EXPECT_FALSE(key.starts_with("key/")) << key;
    EXPECT_FALSE(key.starts_with("in/seen")) << key;
  }
}

TEST_F(RestoredAgent, AttackARolledBackLogGetsNoCosignature) {
  world_.RequireQuorum(4);
  world_.Settle();
  const std::string old = world_.Shown().witnessed;
  ASSERT_FALSE(old.empty());
  world_.clock().Advance(absl::Minutes(1));
  uls().Restore(uls().Backup());
  Away(true);
  // A true note of before, with its quorum, beside a log that others do not
  // see.
  const std::string note = world_.Checkpoint();
  uls().Turn({note, old});
  EXPECT_TRUE(uls().restored().NoWitnessSince());
  EXPECT_EQ(world_.broker().witnesses().newest().note, old);  // no new one
  Away(false);
  Refer();
  world_.Settle();
  world_.Settle();
  EXPECT_FALSE(uls().restored().NoWitnessSince());
}

}  // namespace
}  // namespace amparo::agent

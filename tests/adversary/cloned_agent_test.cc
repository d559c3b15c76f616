#include <memory>
#include <string>

#include "tests/adversary/victims.h"

// ong's agent runs twice: somebody copied its directory with its keys, or
// started an old copy beside it. Two agents with one identity.

namespace amparo::agent {
namespace {

class ClonedAgent : public Victims {
 protected:
  // The clone, as ong is now.
  TestAgent& Clone() {
    clone_ = std::make_unique<TestAgent>(world_.broker(), "ong");
    Batch rows;
    EXPECT_OK(ong().kv().Scan("", "", [&](absl::string_view key, ByteView value) {
      rows.Put(key, value);
      return true;
    }));
    EXPECT_OK(clone_->kv().Write(rows));
    clone_->Restart();
    return *clone_;
  }
  std::string ReferFrom(TestAgent& agent, const std::string& consent) {
    SendRequest request;
    request.to = {"uls"};
    request.form_json = FormFor({"uls"});
    request.consent = consent;
    const SendOutcome sent =
        VALUE_OF(agent.referrals().Send(agent.officer(), request));
    EXPECT_TRUE(sent.allowed);
    return sent.referral_id->text();
  }

  std::unique_ptr<TestAgent> clone_;
};

TEST_F(ClonedAgent, ShowsAtOnceAndNothingIsLost) {
  const std::string consent = RecordConsent();
  ReferUnder(consent);
  world_.Settle();
  TestAgent& clone = Clone();

  const std::string of_ong = ReferUnder(consent);
  world_.Settle();
  EXPECT_FALSE(HasAlarm(uls(), "link_fork"));
  // The clone goes on from the same link: a second story under one number.
  const std::string of_clone = ReferFrom(clone, consent);
  clone.Turn(world_.Shown());
  world_.Settle();
  EXPECT_TRUE(HasAlarmFor(uls(), "link_fork", world_.broker().Id("ong")));
  EXPECT_TRUE(Knows(uls(), of_ong));
  EXPECT_TRUE(Knows(uls(), of_clone));
}

TEST_F(ClonedAgent, CannotSendWithoutTheOwnerHearingOfIt) {
  const std::string consent = RecordConsent();
  ReferUnder(consent);
  world_.Settle();
  EXPECT_FALSE(HasAlarm(ong(), "own_mail"));
  TestAgent& clone = Clone();
  ReferFrom(clone, consent);
  clone.Turn(world_.Shown());
  world_.Settle();  // uls signs for it, and the receipt goes to ong
  EXPECT_TRUE(HasAlarmFor(ong(), "own_mail", world_.broker().Id("uls")));
  EXPECT_FALSE(HasAlarm(clone, "own_mail"));
}

TEST_F(ClonedAgent, LeavesTheOwnersKeysAlone) {
  TestAgent& clone = Clone();
  world_.clock().Advance(absl::Hours(25));
  world_.Settle();  // ong made the prekey of the day
  for (int turn = 0; turn < 3; ++turn) clone.Turn(world_.Shown());
  // Whatever the clone published, nobody froze ong or seals to a key that ong
  // does not have.
  world_.Settle();
  const MemberId& id = world_.broker().Id("ong");
  EXPECT_FALSE(uls().peers().Now()->keys.IsFrozen(id));
  ExpectHonestTrafficFlows();
}

}  // namespace
}  // namespace amparo::agent

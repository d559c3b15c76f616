#include "agents/institution/core/alarms.h"

#include "base/error.h"
#include "base/kv/memory_kv.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {
namespace {

class AlarmsTest : public testing::Test {
 protected:
  AlarmsTest() : alarms_(VALUE_OF(Alarms::Open(kv_))) {}

  MemoryKv kv_;
  FakeClock clock_;
  const MemberId gnr_ = VALUE_OF(MemberId::Parse("gnr"));
  std::unique_ptr<Alarms> alarms_;
};

TEST_F(AlarmsTest, RingOnceAndKeepTheFirstTime) {
  const absl::Time first = clock_.Now();
  alarms_->Raise("gap", gnr_, first);
  alarms_->Raise("gap", gnr_, first + absl::Hours(1));
  ASSERT_EQ(alarms_->List().size(), 1u);
  EXPECT_EQ(alarms_->List()[0].since, first);
  EXPECT_EQ(alarms_->List()[0].member, gnr_);
}

TEST_F(AlarmsTest, AreApartByMember) {
  alarms_->Raise("gap", gnr_, clock_.Now());
  alarms_->Raise("gap", std::nullopt, clock_.Now());
  EXPECT_EQ(alarms_->List().size(), 2u);
  alarms_->Settle("gap", std::nullopt);
  EXPECT_TRUE(alarms_->Has("gap", gnr_));
  EXPECT_FALSE(alarms_->Has("gap", std::nullopt));
}

TEST_F(AlarmsTest, OutliveARestartUntilTheyAreSettled) {
  alarms_->Raise("log_fork", gnr_, clock_.Now(), Bytes{1, 2, 3});
  alarms_ = VALUE_OF(Alarms::Open(kv_));
  EXPECT_TRUE(alarms_->Has("log_fork", gnr_));
  EXPECT_EQ(alarms_->List()[0].since, clock_.Now());
  alarms_->Settle("log_fork", gnr_);
  alarms_ = VALUE_OF(Alarms::Open(kv_));
  EXPECT_TRUE(alarms_->List().empty());
}

TEST_F(AlarmsTest, ArePutAwayWithTheirEvidenceAndRingAgain) {
  alarms_->Raise("log_fork", gnr_, clock_.Now(), Bytes{1, 2, 3});
  EXPECT_THAT(alarms_->Acknowledge("log_fork", std::nullopt),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(alarms_->Acknowledge("log_fork", gnr_));
  EXPECT_FALSE(alarms_->Has("log_fork", gnr_));
  alarms_ = VALUE_OF(Alarms::Open(kv_));
  EXPECT_TRUE(alarms_->List().empty());
  std::optional<Bytes> kept;
  EXPECT_OK(kv_.Scan("alarm-past/", "", [&](absl::string_view, ByteView row) {
    kept = ToBytes(row);
    return true;
  }));
  ASSERT_TRUE(kept);
  EXPECT_EQ(Bytes(kept->end() - 3, kept->end()), (Bytes{1, 2, 3}));
  alarms_->Raise("log_fork", gnr_, clock_.Now());
  EXPECT_TRUE(alarms_->Has("log_fork", gnr_));
}

TEST_F(AlarmsTest, SayWhetherTheyRingWithoutEvidence) {
  const auto why = [&](const std::optional<MemberId>& member) {
    const auto evidence = alarms_->EvidenceOf("log_fork", member);
    EXPECT_TRUE(absl::IsNotFound(evidence.status()));
    return std::string(evidence.status().message());
  };
  EXPECT_EQ(why(std::nullopt), "no such alarm");
  alarms_->Raise("log_fork", std::nullopt, clock_.Now());
  EXPECT_EQ(why(std::nullopt),
            "this alarm rings, and no signed notes were kept with it");
  EXPECT_EQ(why(gnr_), "no such alarm");
  EXPECT_EQ(DetailOf(alarms_->CheckRings("log_fork", gnr_))->expected,
            "log_fork");
  EXPECT_EQ(DetailOf(alarms_->CheckRings("log_fork", gnr_))->hint,
            "see what rings with `amparo status`");
  alarms_->Raise("log_fork", gnr_, clock_.Now(), Bytes{1, 2, 3});
  EXPECT_EQ(VALUE_OF(alarms_->EvidenceOf("log_fork", gnr_)), (Bytes{1, 2, 3}));
}

TEST_F(AlarmsTest, RingOnWhenTheyCannotBePutAway) {
  alarms_->Raise("log_fork", gnr_, clock_.Now());
  kv_.FailWrites(absl::InternalError("disk"));
  EXPECT_FALSE(alarms_->Acknowledge("log_fork", gnr_).ok());
  EXPECT_TRUE(alarms_->Has("log_fork", gnr_));
}

TEST_F(AlarmsTest, ShowEvenWhenTheyCannotBeStored) {
  kv_.FailWrites(absl::InternalError("disk"));
  alarms_->Raise("log_fork", gnr_, clock_.Now());
  EXPECT_TRUE(alarms_->Has("log_fork", gnr_));
}

}  // namespace
}  // namespace amparo::agent

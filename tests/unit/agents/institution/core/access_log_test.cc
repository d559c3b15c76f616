#include "agents/institution/core/access_log.h"

#include "base/kv/memory_kv.h"
#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {
namespace {

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() : log_(Open()) {}

  std::unique_ptr<AccessLog> Open() {
    return VALUE_OF(
        AccessLog::Open(kv_, clock_, "net", VALUE_OF(MemberId::Parse("ong"))));
  }
  AccessLog::Entry Entry(const char* action) {
    return {.officer = officer_,
            .action = action,
            .case_id = case_,
            .sections = {"identity"},
            .grant_or_basis = "g-x"};
  }
  std::vector<AccessRecord> All() {
    return VALUE_OF(log_->Read(std::nullopt, 1000));
  }
  // Root of the tree over the records as they are read.
  Digest RootOfRecords() {
    CompactRange range;
    for (const AccessRecord& record : All())
      range.Append(LeafHash(EncodeAccessRecord(record)));
    return range.Root();
  }
  Checkpoint SignedHead(const SigningKey& key) {
    const NoteVerifier verifier = VALUE_OF(NoteVerifier::Create(
        "net/access/ong", NoteKeyType::kEd25519, key.verify_key()));
    return VALUE_OF(
        VerifyCheckpoint(VALUE_OF(log_->SignedCheckpoint(key)), verifier));
  }

  MemoryKv kv_;
  FakeClock clock_;
  const OfficerId officer_ = OfficerId::New();
  const CaseId case_ = CaseId::New();
  std::unique_ptr<AccessLog> log_;
};

TEST_F(AccessLogTest, KeepsWhoDidWhatInOrder) {
  ASSERT_OK(log_->Write(Entry("one")));
  clock_.Advance(absl::Seconds(5));
  ASSERT_OK(log_->Write(Entry("two")));
  const auto records = All();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].seq, 0u);
  EXPECT_EQ(records[1].seq, 1u);
  EXPECT_EQ(records[0].action, "one");
  EXPECT_EQ(records[1].at - records[0].at, absl::Seconds(5));
  EXPECT_EQ(records[0].officer, officer_.text());
  EXPECT_EQ(records[0].affiliation, "ong");
  EXPECT_EQ(records[0].case_pseudonym, case_.text());
  EXPECT_EQ(records[0].outcome, "ok");
}

TEST_F(AccessLogTest, CannotBeGuessedFromItsHashes) {
  ASSERT_OK(log_->Write(Entry("one")));
  ASSERT_OK(log_->Write(Entry("one")));
  const auto records = All();
  EXPECT_EQ(records[0].nonce.size(), 16u);
  EXPECT_NE(records[0].nonce, records[1].nonce);
}

TEST_F(AccessLogTest, SignsTheTreeOverItsRecords) {
  const SigningKey key = SigningKey::Generate();
  EXPECT_EQ(SignedHead(key).size.value(), 0u);
  for (int i = 0; i < 5; ++i) ASSERT_OK(log_->Write(Entry("show")));
  EXPECT_EQ(SignedHead(key).size.value(), 5u);
  EXPECT_EQ(SignedHead(key).root, RootOfRecords());
}

TEST_F(AccessLogTest, TellsTheSizeThatItsHeadIsAbout) {
  const SigningKey key = SigningKey::Generate();
  for (int i = 0; i < 3; ++i) ASSERT_OK(log_->Write(Entry("show")));
  const AccessLog::Head head = VALUE_OF(log_->SignedHead(key));
  ASSERT_OK(log_->Write(Entry("later")));
  EXPECT_EQ(head.size.value(), 3u);
  EXPECT_EQ(VALUE_OF(ParseCheckpoint(VALUE_OF(ParseNote(head.note)).text)).size,
            head.size);
}

TEST_F(AccessLogTest, GoesOnAfterARestart) {
  const SigningKey key = SigningKey::Generate();
  for (int i = 0; i < 3; ++i) ASSERT_OK(log_->Write(Entry("before")));
  log_ = Open();
  EXPECT_EQ(log_->size().value(), 3u);
  ASSERT_OK(log_->Write(Entry("after")));
  EXPECT_EQ(All().back().seq, 3u);
  EXPECT_EQ(SignedHead(key).root, RootOfRecords());
}

TEST_F(AccessLogTest, IsAsItWasWhenAWriteFails) {
  ASSERT_OK(log_->Write(Entry("one")));
  kv_.FailWrites(absl::InternalError("disk"));
  EXPECT_FALSE(log_->Write(Entry("lost")).ok());
  kv_.FailWrites(absl::OkStatus());
  EXPECT_EQ(log_->size().value(), 1u);
  ASSERT_OK(log_->Write(Entry("two")));
  EXPECT_EQ(All().back().seq, 1u);
  EXPECT_EQ(SignedHead(SigningKey::Generate()).root, RootOfRecords());
}

TEST_F(AccessLogTest, ShowsARecordThatWasChangedOnTheDisk) {
  const SigningKey key = SigningKey::Generate();
  ASSERT_OK(log_->Write(Entry("show")));
  ASSERT_OK(log_->Write(Entry("show")));
  AccessRecord record = All()[0];
  record.officer = OfficerId::New().text();
  Bytes seq;
  AppendU64(seq, 0);
  Batch forgery;
  forgery.Put(std::string("access/record/") + ToText(seq),
              EncodeAccessRecord(record));
  ASSERT_OK(kv_.Write(forgery));
  EXPECT_NE(SignedHead(key).root, RootOfRecords());
}

TEST_F(AccessLogTest, ReadsByPages) {
  for (int i = 0; i < 5; ++i) ASSERT_OK(log_->Write(Entry("show")));
  const auto first = VALUE_OF(log_->Read(std::nullopt, 2));
  ASSERT_EQ(first.size(), 2u);
  const auto second = VALUE_OF(log_->Read(first.back().seq, 2));
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(second[0].seq, 2u);
  EXPECT_EQ(VALUE_OF(log_->Read(4, 2)).size(), 0u);
}

TEST_F(AccessLogTest, RefusesADamagedEdge) {
  ASSERT_OK(log_->Write(Entry("show")));
  for (const Bytes& edge : {Bytes{}, Bytes(7), Bytes(9), Bytes(8 + 2 * 32)}) {
    Batch damage;
    damage.Put("access/edge", edge);
    ASSERT_OK(kv_.Write(damage));
    const auto opened =
        AccessLog::Open(kv_, clock_, "net", VALUE_OF(MemberId::Parse("ong")));
    EXPECT_FALSE(opened.ok()) << edge.size();
  }
}

}  // namespace
}  // namespace amparo::agent

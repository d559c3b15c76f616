#include "agents/institution/core/outbox.h"

#include "base/kv/memory_kv.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {
namespace {

using absl::StatusCode;

constexpr size_t kDraftsMax = 1000;

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() : outbox_(VALUE_OF(Outbox::Open(kv_, kDraftsMax))) {}

  Draft To(const std::string& member) {
    return {.recipient = VALUE_OF(MemberId::Parse(member)),
            .kind = EventKind::kReferral,
            .case_id = CaseId::New(),
            .event_id = EventId::New(),
            .sections = {Section::kRisk, Section::kNeeds},
            .content_of = EventId::New(),
            .document = {}};
  }
  void Add(const Draft& draft) {
    Batch rows;
    outbox_->Add(draft, rows);
    ASSERT_OK(kv_.Write(rows));
  }
  std::vector<Draft> Drafts() { return VALUE_OF(outbox_->Drafts()); }

  MemoryKv kv_;
  std::unique_ptr<Outbox> outbox_;
};

TEST_F(OutboxTest, GivesDraftsBackInTheirOrder) {
  std::vector<Draft> added;
  for (int i = 0; i < 300; ++i) added.push_back(To("uls"));
  for (const Draft& draft : added) Add(draft);
  const auto drafts = Drafts();
  ASSERT_EQ(drafts.size(), added.size());
  for (size_t i = 0; i < drafts.size(); ++i)
    EXPECT_EQ(drafts[i].event_id, added[i].event_id);
  EXPECT_EQ(outbox_->size(), added.size());
}

TEST_F(OutboxTest, KeepsEveryFieldOfADraft) {
  const Draft draft = To("uls");
  Add(draft);
  const Draft stored = Drafts().at(0);
  EXPECT_EQ(stored.recipient, draft.recipient);
  EXPECT_EQ(stored.kind, draft.kind);
  EXPECT_EQ(stored.case_id, draft.case_id);
  EXPECT_EQ(stored.sections, draft.sections);
  EXPECT_EQ(stored.content_of, draft.content_of);
  EXPECT_EQ(stored.attempts, 0u);
}

TEST_F(OutboxTest, HasNothingBeforeItsRowsAreWritten) {
  Batch rows;
  outbox_->Add(To("uls"), rows);
  EXPECT_TRUE(Drafts().empty());
  ASSERT_OK(kv_.Write(rows));
  EXPECT_EQ(Drafts().size(), 1u);
}

TEST_F(OutboxTest, KnowsWhetherADraftStillWaits) {
  Add(To("uls"));
  const Draft draft = Drafts().at(0);
  EXPECT_TRUE(VALUE_OF(outbox_->Waits(draft)));
  Batch rows;
  outbox_->Remove(draft, rows);
  ASSERT_OK(kv_.Write(rows));
  EXPECT_FALSE(VALUE_OF(outbox_->Waits(draft)));
}

TEST_F(OutboxTest, PutsNewDraftsBehindThoseOfAnEarlierLife) {
  Add(To("uls"));
  const EventId first = Drafts().at(0).event_id;
  outbox_ = VALUE_OF(Outbox::Open(kv_, kDraftsMax));
  Add(To("uls"));
  ASSERT_EQ(Drafts().size(), 2u);
  EXPECT_EQ(Drafts()[0].event_id, first);
}

TEST_F(OutboxTest, KnowsWhatWasSentByItsDigestAndByItsLink) {
  const Digest envelope = Sha256(absl::string_view("envelope"));
  const Digest kid = Sha256(absl::string_view("key"));
  const Draft draft = To("uls");
  Batch rows;
  outbox_->PutSent(envelope, {draft, EnvelopeId::New(), kid, 7, LeafIndex(40)},
                   rows);
  ASSERT_OK(kv_.Write(rows));
  EXPECT_EQ(VALUE_OF(outbox_->SentAs(envelope)).draft.event_id, draft.event_id);
  const Sent by_link = VALUE_OF(outbox_->SentIn(draft.recipient, kid, 1, 9, 2)).at(0);
  EXPECT_EQ(by_link.draft.event_id, draft.event_id);
  EXPECT_EQ(by_link.leaf, LeafIndex(40));
  EXPECT_TRUE(VALUE_OF(outbox_->SentIn(draft.recipient, kid, 8, 9, 2)).empty());
  EXPECT_THAT(outbox_->SentAs(Digest()), StatusIs(StatusCode::kNotFound));
}

TEST_F(OutboxTest, FindsWhatWentUnderARangeOfLinksInTheirOrder) {
  const Digest kid = Sha256(absl::string_view("key"));
  const Draft draft = To("uls");
  Batch rows;
  for (const uint64_t seq : {300, 2, 10, 9})
    outbox_->PutSent(Sha256(std::to_string(seq)),
                     {draft, EnvelopeId::New(), kid, seq, LeafIndex(seq)}, rows);
  ASSERT_OK(kv_.Write(rows));
  const auto links = [&](uint64_t first, uint64_t last, size_t count_max) {
    std::vector<uint64_t> seqs;
    for (const Sent& sent :
         VALUE_OF(outbox_->SentIn(draft.recipient, kid, first, last, count_max)))
      seqs.push_back(sent.link_seq);
    return seqs;
  };
  EXPECT_EQ(links(1, 1000, 9), (std::vector<uint64_t>{2, 9, 10, 300}));
  EXPECT_EQ(links(3, 10, 9), (std::vector<uint64_t>{9, 10}));
  EXPECT_EQ(links(1, 1000, 3), (std::vector<uint64_t>{2, 9, 10}));
}

TEST_F(OutboxTest, KeepsRecallsUntilTheyAreDone) {
  const Digest envelope = Sha256(absl::string_view("envelope"));
  Batch rows;
  outbox_->AddRecall({envelope, "token"}, rows);
  ASSERT_OK(kv_.Write(rows));
  outbox_ = VALUE_OF(Outbox::Open(kv_, kDraftsMax));
  const auto recalls = VALUE_OF(outbox_->Recalls());
  ASSERT_EQ(recalls.size(), 1u);
  EXPECT_EQ(recalls[0].envelope, envelope);
  EXPECT_EQ(recalls[0].token, "token");
  Batch done;
  outbox_->RemoveRecall(envelope, done);
  ASSERT_OK(kv_.Write(done));
  EXPECT_TRUE(VALUE_OF(outbox_->Recalls()).empty());
}

TEST_F(OutboxTest, SaysWhenSoManyWaitThatNobodyShouldAddMore) {
  outbox_ = VALUE_OF(Outbox::Open(kv_, 2));
  Add(To("uls"));
  EXPECT_OK(outbox_->CheckRoom());
  Add(To("uls"));
  EXPECT_THAT(outbox_->CheckRoom(), StatusIs(StatusCode::kResourceExhausted));
}

TEST_F(OutboxTest, SaysSoWhenADraftIsDamaged) {
  Add(To("uls"));
  Batch damage;
  ASSERT_OK(kv_.Scan("out/draft/", "", [&](absl::string_view key, ByteView) {
    damage.Put(key, AsBytes("{}"));
    return true;
  }));
  ASSERT_OK(kv_.Write(damage));
  EXPECT_FALSE(outbox_->Drafts().ok());
  EXPECT_FALSE(Outbox::Open(kv_, kDraftsMax).ok());
}

}  // namespace
}  // namespace amparo::agent

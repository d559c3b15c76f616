#include "absl/strings/str_cat.h"
#include "agents/auditor/evidence_check.h"
#include "agents/auditor/evidence_make.h"
#include "agents/auditor/report_html.h"
#include "tests/unit/agents/auditor/replay_fixture.h"

// What a member did that is no fault of the log, and what others try to make of
// it.

namespace amparo::auditor {
namespace {

class ReplayRemark : public ReplayFixture {
 protected:
  LeafIndex AddAccess(const std::string& signer, const std::string& name,
                      uint64_t size) {
    return log_.AddEvent(AccessLogEvent{
        VALUE_OF(SignCheckpoint({absl::StrCat("test-example/access/", name),
                                 TreeSize(size),
                                 Sha256(absl::StrCat(name, size)),
                                 {}},
                                log_.member(signer).signing))});
  }
  Member& In(Charter& charter, const std::string& id) {
    for (Member& member : charter.members)
      if (member.id.text() == id) return member;
    ADD_FAILURE() << id;
    return charter.members.front();
  }
};

TEST_F(ReplayRemark, MailToASuspendedMemberIsFound) {
  log_.AddReceipt(log_.AddEnvelope("ong", "gnr"));
  log_.AddCharter([this](Charter& next) {
    In(next, "gnr").status = MemberStatus::kSuspended;
  });
  const LeafIndex leaf = log_.AddEnvelope("ong", "gnr");
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, leaf.value()));
}

TEST_F(ReplayRemark, MailToAMemberThatTwoKeysSuspendedIsFound) {
  log_.AddSuspension("gnr");
  const LeafIndex leaf = log_.AddEnvelope("ong", "gnr");
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, leaf.value()));
}

TEST_F(ReplayRemark, AMemberThatIsSuspendedLaterTookItsMailRightly) {
  log_.AddReceipt(log_.AddEnvelope("ong", "gnr"));
  log_.AddCharter([this](Charter& next) {
    In(next, "gnr").status = MemberStatus::kSuspended;
    In(next, "gnr").since = log_.now;
  });
  EXPECT_THAT(ExportAndReplay(), Passes());
}

TEST_F(ReplayRemark, AttackACheckpointUnderAnothersNameDoesNotBlameIt) {
  AddAccess("uls", "uls", 4);
  const LeafIndex forged = AddAccess("gnr", "uls", 2);
  AddAccess("uls", "uls", 6);
  Export();
  std::string from = "nobody";
  const Report report =
      Replayed({.root = log_.root(), .timeline = [&](const TimelineEntry& row) {
                  if (row.index == forged) from = row.from;
                }});
  EXPECT_THAT(report, FirstFails(FindingCode::kBadSignature, forged.value()));
  EXPECT_EQ(report.findings().size(), 1u);
  EXPECT_EQ(from, "");
  EXPECT_EQ(report.findings()[0].text.find("uls"), std::string::npos);
}

TEST_F(ReplayRemark, AnAccessLogThatShrinksIsFound) {
  AddAccess("ong", "ong", 9);
  const LeafIndex leaf = AddAccess("ong", "ong", 4);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kInconsistent, leaf.value()));
}

TEST_F(ReplayRemark, AnAccessLogThatShrinksAfterANewKeyIsFound) {
  AddAccess("ong", "ong", 9);
  log_.AddSigningKey("ong");
  const LeafIndex leaf = AddAccess("ong", "ong", 4);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kInconsistent, leaf.value()));
}

TEST_F(ReplayRemark, AnAccessLogOfARestoredMemberIsTold) {
  AddAccess("ong", "ong", 9);
  log_.AddSigningKey("ong", false);
  const LeafIndex leaf = AddAccess("ong", "ong", 4);
  AddAccess("ong", "ong", 5);
  const Report report = ExportAndReplay();
  EXPECT_THAT(report, Passes());
  ASSERT_EQ(report.restored().size(), 1u);
  EXPECT_EQ(report.restored()[0].index, leaf);
  EXPECT_EQ(report.restored()[0].records_before, 9u);
  EXPECT_EQ(report.restored()[0].records_after, 4u);
  EXPECT_THAT(ToText(report), testing::HasSubstr("at least 5 are gone"));
  EXPECT_THAT(HtmlReport().Render(report, log_.now),
              testing::HasSubstr("at least 5 are gone"));
  // One restore excuses no second loss, and no other member's.
  const LeafIndex again = AddAccess("ong", "ong", 2);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kInconsistent, again.value()));
}

TEST_F(ReplayRemark, AnothersRestoreExcusesNoAccessLog) {
  AddAccess("ong", "ong", 9);
  log_.AddSigningKey("uls", false);
  const LeafIndex leaf = AddAccess("ong", "ong", 4);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kInconsistent, leaf.value()));
}

TEST_F(ReplayRemark, MailThatALaterCharterDisownsIsToldAndNoFinding) {
  log_.AddEnvelope("gnr", "ong");
  const absl::Time since = log_.now + absl::Seconds(1);
  const LeafIndex first = log_.AddEnvelope("gnr", "uls");
  log_.AddEnvelope("uls", "ong");
  const LeafIndex last = log_.AddEnvelope("gnr", "ong");
  const LeafIndex charter = log_.AddCharter([&](Charter& next) {
    In(next, "gnr").status = MemberStatus::kSuspended;
    In(next, "gnr").since = since;
  });
  // The next version says the same, and no more.
  log_.AddCharter([](Charter&) {});
  const Report report = ExportAndReplay();
  EXPECT_THAT(report, Passes());
  ASSERT_EQ(report.disowned().size(), 1u);
  EXPECT_EQ(report.disowned()[0].member, "gnr");
  EXPECT_EQ(report.disowned()[0].charter, charter);
  EXPECT_EQ(report.disowned()[0].first, first);
  EXPECT_EQ(report.disowned()[0].last, last);
  EXPECT_EQ(report.disowned()[0].envelopes, 2u);
  EXPECT_THAT(ToText(report), testing::HasSubstr("not to be believed"));
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  const Evidence pack =
      VALUE_OF(MakeEvidence(source, last, log_.root(), std::nullopt));
  const EvidenceVerdict verdict = JudgeEvidence(pack, log_.root());
  EXPECT_TRUE(verdict.ok());
  EXPECT_TRUE(verdict.disowned);
  EXPECT_THAT(ToText(verdict), testing::HasSubstr("NOT TO BE BELIEVED"));
  const EvidenceVerdict before =
      JudgeEvidence(VALUE_OF(MakeEvidence(source, LeafIndex(first.value() - 1),
                                          log_.root(), std::nullopt)),
                    log_.root());
  EXPECT_FALSE(before.disowned);
}

}  // namespace
}  // namespace amparo::auditor

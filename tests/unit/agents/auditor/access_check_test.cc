#include "agents/auditor/access_check.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agents/auditor/access_audit.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "crypto/compact_range.h"
#include "tests/unit/agents/auditor/replay_fixture.h"

namespace amparo::auditor {
namespace {

constexpr char kOrigin[] = "test-example/access/ong";

// An institution's access log, anchored in a network's log, and what a
// dishonest institution hands to its auditor.
class AccessCheckTest : public ReplayFixture {
 protected:
  void Write(int count) {
    for (int i = 0; i < count; ++i)
      lines_.push_back(Record(lines_.size(), "section_open"));
  }
  std::string Record(uint64_t seq, const std::string& action) {
    return DumpJson({{"seq", seq},
                     {"at", FormatUtc(log_.now)},
                     {"nonce", ToBase64Url(RandomBytes(16))},
                     {"officer", "o-aaaa"},
                     {"affiliation", "ong"},
                     {"action", action},
                     {"case", "c-aaaa"},
                     {"sections", {"safe_contact"}},
                     {"grant_or_basis", "g-aaaa"},
                     {"justification", ""},
                     {"outcome", "ok"}});
  }
  std::string Head(const SigningKey& key, const char* origin = kOrigin) const {
    CompactRange tree;
    for (const std::string& line : lines_) tree.Append(LeafHash(AsBytes(line)));
    return VALUE_OF(
        SignCheckpoint({origin, tree.size(), tree.Root(), {}}, key));
  }
  // The checkpoint over what was written so far, in the network's log.
  LeafIndex Anchor() {
    return log_.AddEvent(AccessLogEvent{Head(log_.member("ong").signing)});
  }
  std::string End(const std::string& head) const {
    return DumpJson({{"schema", "access_log_export/1"},
                     {"size", lines_.size()},
                     {"checkpoint", head}}) +
           "\n";
  }
  // What the institution would export now, with a head that fits.
  std::string File() {
    return absl::StrCat(absl::StrJoin(lines_, "\n"), lines_.empty() ? "" : "\n",
                        End(Head(log_.member("ong").signing)));
  }
  AccessAudit Audited(const std::string& file) {
    Export();
    FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
    return VALUE_OF(AuditAccessLog(SplitAccessExport(file), &source,
                                   {.root = log_.root()}));
  }
  AccessAudit Audited() { return Audited(File()); }

  // Twelve records: eight of them under two anchors.
  void WriteAnchored() {
    Write(4);
    Anchor();
    Write(4);
    Anchor();
    Write(4);
  }
  // So that its number is its place again: what a careful forger does.
  void Renumber() {
    for (size_t i = 0; i < lines_.size(); ++i) {
      Json record = VALUE_OF(ParseJson(lines_[i]));
      record["seq"] = i;
      lines_[i] = DumpJson(record);
    }
  }

  std::vector<std::string> lines_;
};

MATCHER_P2(FailsAt, fault, record, "") {
  for (const AccessFinding& finding : arg.verdict.findings)
    *result_listener << NameOf(finding.fault) << " "
                     << finding.record.value_or(9999) << ": " << finding.text
                     << "\n";
  const bool named =
      std::any_of(arg.verdict.findings.begin(), arg.verdict.findings.end(),
                  [&](const AccessFinding& finding) {
                    return finding.fault == fault &&
                           finding.record == static_cast<uint64_t>(record);
                  });
  return !arg.ok() && named &&
         arg.verdict.first_bad_record() == static_cast<uint64_t>(record);
}

TEST_F(AccessCheckTest, AnHonestExportFitsAndSaysHowFarItIsAnchored) {
  WriteAnchored();
  const AccessAudit audit = Audited();
  EXPECT_TRUE(audit.ok()) << ToText(audit);
  EXPECT_EQ(audit.verdict.member, "ong");
  EXPECT_EQ(audit.verdict.network, "test-example");
  EXPECT_EQ(audit.verdict.records, 12u);
  EXPECT_EQ(audit.verdict.anchors, 2u);
  EXPECT_EQ(audit.verdict.anchored, 8u);
  EXPECT_TRUE(audit.verdict.judged_keys);
  EXPECT_THAT(ToText(audit), testing::HasSubstr("from record 8"));
}

TEST_F(AccessCheckTest, AnEmptyLogIsALogOfNothing) {
  EXPECT_TRUE(Audited().ok());
}

TEST_F(AccessCheckTest, KnowsAHeadByAnEarlierKey) {
  Write(3);
  const std::string file = File();
  log_.AddSigningKey("ong");
  EXPECT_TRUE(Audited(file).ok());
}

TEST_F(AccessCheckTest, OtherMembersAnchorsAreNotItsOwn) {
  Write(3);
  CompactRange other;
  other.Append(LeafHash(AsBytes(absl::string_view("x"))));
  log_.AddEvent(AccessLogEvent{VALUE_OF(SignCheckpoint(
      {"test-example/access/uls", other.size(), other.Root(), {}},
      log_.member("uls").signing))});
  const AccessAudit audit = Audited();
  EXPECT_TRUE(audit.ok());
  EXPECT_EQ(audit.verdict.anchors, 0u);
}

TEST_F(AccessCheckTest, AttackARecordIsChangedAndTheHeadSignedAnew) {
  WriteAnchored();
  Json record = VALUE_OF(ParseJson(lines_[5]));
  record["officer"] = "o-somebody-else";
  lines_[5] = DumpJson(record);
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kChanged, 4));
}

TEST_F(AccessCheckTest, AttackARecordIsCutOutAndTheHeadSignedAnew) {
  WriteAnchored();
  lines_.erase(lines_.begin() + 2);
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kChanged, 0));
  EXPECT_EQ(Audited().verdict.findings.front().record, 0u);
  Renumber();
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kChanged, 0));
}

TEST_F(AccessCheckTest, AttackARecordIsPutIn) {
  WriteAnchored();
  lines_.insert(lines_.begin() + 6, Record(6, "referral_show"));
  EXPECT_FALSE(Audited().ok());
  Renumber();
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kChanged, 4));
}

TEST_F(AccessCheckTest, AttackTwoRecordsChangePlaces) {
  WriteAnchored();
  std::swap(lines_[5], lines_[6]);
  const AccessAudit plain = Audited();
  EXPECT_FALSE(plain.ok());
  Renumber();
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kChanged, 4));
}

// What came after it stands in the network's log all the same.
TEST_F(AccessCheckTest, AnOlderExportIsNoFindingAndSaysWhatCameSince) {
  Write(4);
  Anchor();
  Write(2);
  const std::string between = File();
  Write(2);
  const std::string at_an_anchor = File();
  const absl::Time written = VALUE_OF(
      ParseUtc(VALUE_OF(JsonString(VALUE_OF(ParseJson(lines_[7])), "at"))));
  Anchor();
  Write(4);
  log_.now += absl::Hours(5);
  Anchor();
  for (const auto& [file, newer, anchored] :
       {std::tuple(between, 6u, 4u), std::tuple(at_an_anchor, 4u, 8u)}) {
    const AccessAudit audit = Audited(file);
    EXPECT_TRUE(audit.ok()) << ToText(audit);
    EXPECT_EQ(audit.verdict.newer, newer);
    EXPECT_EQ(audit.verdict.anchored, anchored);
    EXPECT_EQ(audit.verdict.newer_at, log_.now);
    EXPECT_EQ(audit.verdict.ends_at, written);
    const std::string text = ToText(audit);
    EXPECT_THAT(text, testing::HasSubstr("NOT THE NEWEST"));
    EXPECT_THAT(text, testing::HasSubstr(absl::StrCat(
                          "BUT ", newer, " RECORD(S) ANCHORED SINCE")));
    EXPECT_EQ(ToJson(audit)["newer"], newer);
    EXPECT_EQ(ToJson(audit)["newer_at"], FormatUtc(log_.now));
  }
  const AccessAudit newest = Audited();
  EXPECT_EQ(newest.verdict.newer, 0u);
  EXPECT_THAT(ToText(newest), testing::Not(testing::HasSubstr("NEWEST")));
}

TEST_F(AccessCheckTest, AnExportFromBeforeTheFirstAnchorIsNotAccused) {
  Write(3);
  const std::string file = File();
  Write(1);
  Anchor();
  const AccessAudit audit = Audited(file);
  EXPECT_TRUE(audit.ok());
  EXPECT_EQ(audit.verdict.newer, 1u);
  EXPECT_THAT(ToText(audit),
              testing::Not(testing::HasSubstr("None of the records fits")));
}

// An institution can sign fewer records anew, as an older export has them; how
// many it holds back, and until when, it cannot hide.
TEST_F(AccessCheckTest, AttackTheLogIsCutOffBelowItsAnchorAndSaysHowMuch) {
  WriteAnchored();
  lines_.resize(6);
  const AccessAudit audit = Audited();
  EXPECT_EQ(audit.verdict.newer, 2u);
  EXPECT_THAT(ToText(audit), testing::HasSubstr("Ask for a newer export"));
}

TEST_F(AccessCheckTest, AttackTheLogIsCutOffWithoutAHeadOverWhatIsLeft) {
  WriteAnchored();
  const std::string whole = Head(log_.member("ong").signing);
  lines_.resize(6);
  const std::string rest = absl::StrJoin(lines_, "\n") + "\n";
  for (const std::string& end :
       {std::string(), End(whole), End(""), End(Head(SigningKey::Generate())),
        End(Head(log_.member("ong").signing, "x/access/ong")),
        End(Head(log_.member("uls").signing))}) {
    const AccessAudit audit = Audited(rest + end);
    EXPECT_THAT(audit, FailsAt(AccessFault::kTruncated, 6));
    EXPECT_EQ(audit.verdict.newer, 0u);
  }
}

TEST_F(AccessCheckTest, AttackACutOffLogThatContradictsAnAnchor) {
  WriteAnchored();
  lines_.resize(6);
  lines_[1] = Record(1, "consent_show");
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kChanged, 0));
}

// That it is of a later day than the checkpoint over more is a contradiction.
TEST_F(AccessCheckTest, AttackACutOffLogClaimsToBeOfALaterDay) {
  WriteAnchored();
  lines_.resize(6);
  log_.now += absl::Hours(3);
  lines_[5] = Record(5, "access_log_read");
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kAfterAnchor, 5));
}

TEST_F(AccessCheckTest, AttackAnUnanchoredRecordIsChangedWithoutTheKey) {
  WriteAnchored();
  const std::string head = Head(log_.member("ong").signing);
  lines_[10] = Record(10, "consent_show");
  const std::string file =
      absl::StrCat(absl::StrJoin(lines_, "\n"), "\n", End(head));
  EXPECT_THAT(Audited(file), FailsAt(AccessFault::kChanged, 8));
}

TEST_F(AccessCheckTest, AttackTheHeadIsSignedByAStranger) {
  WriteAnchored();
  const SigningKey stranger = SigningKey::Generate();
  const std::string file =
      absl::StrCat(absl::StrJoin(lines_, "\n"), "\n", End(Head(stranger)));
  const AccessAudit audit = Audited(file);
  ASSERT_FALSE(audit.ok());
  EXPECT_EQ(audit.verdict.findings.front().fault, AccessFault::kBadCheckpoint);
}

TEST_F(AccessCheckTest, AttackTheHeadNamesAnotherNetworkToHaveNoAnchors) {
  WriteAnchored();
  lines_[2] = Record(2, "consent_show");
  for (const char* origin :
       {"x/access/ong", "/access/ong", "test-example/access/x/access/ong",
        "test-example/access/", "test-example"}) {
    const AccessAudit audit =
        Audited(absl::StrCat(absl::StrJoin(lines_, "\n"), "\n",
                             End(Head(log_.member("ong").signing, origin))));
    ASSERT_FALSE(audit.ok()) << origin;
    EXPECT_TRUE(std::any_of(audit.verdict.findings.begin(),
                            audit.verdict.findings.end(),
                            [](const auto& one) {
                              return one.fault == AccessFault::kBadCheckpoint;
                            }))
        << origin;
  }
  // Neither does the name of another member, whose key it does not have.
  EXPECT_FALSE(Audited(absl::StrCat(absl::StrJoin(lines_, "\n"), "\n",
                                    End(Head(log_.member("ong").signing,
                                             "test-example/access/uls"))))
                   .ok());
}

TEST_F(AccessCheckTest, ARestoredInstitutionIsNotAccusedAndWhatItLostIsTold) {
  WriteAnchored();
  Anchor();
  // Back from a backup that was made after seven records.
  lines_.resize(7);
  const LeafIndex restored = log_.AddSigningKey("ong", false);
  const AccessAudit at_once = Audited();
  EXPECT_TRUE(at_once.ok()) << ToText(at_once);
  Write(2);
  Anchor();
  Write(1);
  const AccessAudit audit = Audited();
  EXPECT_TRUE(audit.ok()) << ToText(audit);
  EXPECT_EQ(audit.verdict.restored_at, restored);
  EXPECT_EQ(audit.verdict.lost_from, 4u);
  EXPECT_EQ(audit.verdict.lost_to, 12u);
  EXPECT_EQ(audit.verdict.anchored, 9u);
  EXPECT_EQ(at_once.verdict.lost_at_least, 5u);  // 12 were, 7 are
  EXPECT_EQ(audit.verdict.lost_at_least, 3u);    // 9 when it anchored next
  EXPECT_THAT(ToText(audit), testing::HasSubstr("AT LEAST 3 ARE GONE"));
  EXPECT_EQ(ToJson(audit)["lost"], 8);
  EXPECT_EQ(ToJson(audit)["lost_at_least"], 3);
  // What it wrote since is held to, as before.
  lines_[8] = Record(8, "consent_show");
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kChanged, 4));
}

TEST_F(AccessCheckTest, ANewKeyThatTheOldOneVouchesForExcusesNothing) {
  WriteAnchored();
  log_.AddSigningKey("ong");
  lines_.resize(7);
  const AccessAudit audit = Audited();
  EXPECT_EQ(audit.verdict.restored_at, std::nullopt);
  EXPECT_EQ(audit.verdict.newer, 1u);
}

TEST_F(AccessCheckTest, AttackByARestoreThatWasNoneSaysWhatIsGone) {
  WriteAnchored();
  log_.AddSigningKey("ong", false);
  lines_[2] = Record(2, "consent_show");
  Anchor();
  const AccessAudit audit = Audited();
  EXPECT_EQ(audit.verdict.lost_from, 0u);
  EXPECT_EQ(audit.verdict.lost_to, 8u);
  EXPECT_THAT(ToText(audit),
              testing::HasSubstr("OF 8 ANCHORED RECORDS THAT NOTHING PROVES"));
}

TEST_F(AccessCheckTest, AnExportOfNothingButNewlinesIsRefusedAndBounded) {
  const std::string file(kAccessLinesMax + 1000, '\n');
  const AccessExport split = SplitAccessExport(file);
  EXPECT_EQ(split.lines.size(), kAccessLinesMax + 1);
  EXPECT_FALSE(split.end.has_value());
}

TEST_F(AccessCheckTest, AttackTheFileStopsBeforeItsEnd) {
  WriteAnchored();
  const std::string file = File();
  // Every shorter file, whole lines or not.
  for (size_t size = 0; size < file.size(); size += 97)
    EXPECT_FALSE(Audited(file.substr(0, size)).ok()) << size;
  EXPECT_FALSE(Audited(file.substr(0, file.size() - 1)).ok());
}

TEST_F(AccessCheckTest, AttackAnyByteOfTheRecordsIsChanged) {
  WriteAnchored();
  Export();
  const std::string file = File();
  std::vector<AccessAnchor> anchors;
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  KeyDirectory keys;
  VALUE_OF(Replay(
      source,
      {.root = log_.root(),
       .access_anchors = [&](const AccessAnchor& a) { anchors.push_back(a); },
       .network = [&](const NetworkFold& n) { keys = n.keys(); }}));
  ASSERT_EQ(anchors.size(), 2u);
  const AccessContext context{
      anchors,
      [&](const std::string&) {
        AccessKeys found;
        for (const SignerRecord& signer : keys.SignersOf(log_.member("ong").id))
          found.keys.push_back(signer.key);
        return found;
      },
      "test-example"};
  ASSERT_TRUE(JudgeAccessLog(SplitAccessExport(file), context).ok());
  for (size_t at = 0; at < file.size(); ++at) {
    std::string changed = file;
    changed[at] = static_cast<char>(changed[at] ^ 0x01);
    EXPECT_FALSE(JudgeAccessLog(SplitAccessExport(changed), context).ok())
        << at;
  }
}

TEST_F(AccessCheckTest, AttackARecordIsDatedAfterItsAnchor) {
  Write(1);
  Json record = VALUE_OF(ParseJson(lines_[0]));
  record["at"] = FormatUtc(log_.now + absl::Hours(2));
  lines_[0] = DumpJson(record);
  Anchor();
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kAfterAnchor, 0));
}

TEST_F(AccessCheckTest, AttackARecordIsDatedBeforeTheAnchorBeforeIt) {
  Write(1);
  log_.now += absl::Hours(24);
  Anchor();
  log_.now += absl::Hours(1);
  Write(2);
  EXPECT_TRUE(Audited().ok());
  Json record = VALUE_OF(ParseJson(lines_[2]));
  record["at"] = FormatUtc(log_.now - absl::Hours(20));
  lines_[2] = DumpJson(record);
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kBeforeAnchor, 2));
  Anchor();
  EXPECT_THAT(Audited(), FailsAt(AccessFault::kBeforeAnchor, 2));
}

TEST_F(AccessCheckTest, AClockThatIsOffByWhatAnAgentMayBeIsNoFinding) {
  for (const absl::Duration off : {absl::Minutes(-55), absl::Minutes(55)}) {
    Write(1);
    Anchor();
    log_.now += absl::Hours(3);
    Json record = VALUE_OF(ParseJson(Record(lines_.size(), "section_open")));
    record["at"] = FormatUtc(log_.now + off);
    lines_.push_back(DumpJson(record));
    Anchor();
  }
  EXPECT_TRUE(Audited().ok()) << ToText(Audited());
}

TEST_F(AccessCheckTest, AttackTheNetworksLogIsForged) {
  WriteAnchored();
  Export();
  Flip(Bundle(), OffsetOf(3) + 20);
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  const AccessAudit audit = VALUE_OF(AuditAccessLog(
      SplitAccessExport(File()), &source, {.root = log_.root()}));
  EXPECT_FALSE(audit.ok());
  EXPECT_FALSE(audit.log_ok);
}

TEST_F(AccessCheckTest, WithoutALogSaysThatNobodyVouches) {
  WriteAnchored();
  const std::string file = File();
  const AccessAudit audit =
      VALUE_OF(AuditAccessLog(SplitAccessExport(file), nullptr, {}));
  EXPECT_TRUE(audit.ok());
  EXPECT_EQ(audit.verdict.anchored, 0u);
  EXPECT_FALSE(audit.verdict.judged_keys);
  EXPECT_EQ(ToJson(audit)["log_ok"], nullptr);
}

class AccessFilterTest : public testing::Test {
 protected:
  std::vector<uint64_t> Picked(const AccessFilter& filter) {
    AccessPick pick(filter);
    for (const AccessRecord& record : records_) pick.Learn(record);
    std::vector<uint64_t> taken;
    for (const AccessRecord& record : records_)
      if (pick.Takes(record)) taken.push_back(record.seq);
    return taken;
  }
  AccessRecord Record(const char* officer, const char* action,
                      const char* case_id, const char* section,
                      const char* grant) {
    AccessRecord record;
    record.seq = records_.size();
    record.at =
        TimeFromUnix(1795262400 + 60 * static_cast<int64_t>(record.seq));
    record.officer = officer;
    record.action = action;
    record.case_pseudonym = case_id;
    if (*section != 0) record.sections = {section};
    record.grant_or_basis = grant;
    record.outcome = "ok";
    return record;
  }
  void SetUp() override {
    records_.push_back(
        Record("o-ana", "section_open", "c-one", "safe_contact", "g-one"));
    records_.push_back(
        Record("o-rui", "referral_show", "c-two", "risk_summary", "g-two"));
    records_.push_back(Record("o-ana", "consent_revoke", "c-one", "", "g-one"));
    records_.push_back(
        Record("o-rui", "section_open", "c-one", "safe_contact", "g-one"));
  }
  std::vector<AccessRecord> records_;
};

TEST_F(AccessFilterTest, AnswersAnAuditorsQuestions) {
  using testing::ElementsAre;
  EXPECT_THAT(Picked({}), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Picked({.case_id = "c-one"}), ElementsAre(0, 2, 3));
  // A referral's id would find nothing, and read as "nobody looked".
  EXPECT_THAT(CheckFilter({.case_id = "r-one"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  for (const char* asked : {"", "c", "c-", "c-one"})
    EXPECT_OK(CheckFilter({.case_id = asked})) << asked;
  EXPECT_THAT(Picked({.officer = "o-r"}), ElementsAre(1, 3));
  EXPECT_THAT(Picked({.section = "safe_contact"}), ElementsAre(0, 3));
  EXPECT_THAT(Picked({.section = "risk"}), ElementsAre(1));
  EXPECT_THAT(Picked({.action = "consent_revoke"}), ElementsAre(2));
  EXPECT_THAT(Picked({.grant = "g-two"}), ElementsAre(1));
  EXPECT_THAT(Picked({.after_revocation = true}), ElementsAre(3));
  EXPECT_THAT(Picked({.from = records_[1].at, .until = records_[3].at}),
              ElementsAre(1, 2));
}

// A consent that ended for a section opened it to nobody.
TEST_F(AccessFilterTest, WhoOpenedASectionIsNotWhoLostIt) {
  for (const char* action :
       {"consent_withdrawn", "consent_revoke", "consent_extend"})
    records_.push_back(
        Record("o-ana", action, "c-one", "safe_contact", "g-two"));
  records_.push_back(
      Record("o-ana", "referral_send", "c-one", "safe_contact", "g-two"));
  EXPECT_THAT(Picked({.section = "safe_contact"}),
              testing::ElementsAre(0, 3, 7));
  EXPECT_THAT(
      Picked({.section = "safe_contact", .action = "consent_withdrawn"}),
      testing::ElementsAre(4));
}

TEST_F(AccessFilterTest, ListsWhatWasSentWithoutConsent) {
  records_.push_back(
      Record("o-ana", "referral_send", "c-two", "risk", "w-three"));
  EXPECT_THAT(Picked({.without_consent = true}), testing::ElementsAre(4));
  EXPECT_THAT(Picked({.grant = "w-th"}), testing::ElementsAre(4));
}

// No record has it, and silence would read as an acquittal.
TEST_F(AccessFilterTest, RefusesASectionOrActionThatThereIsNot) {
  for (const AccessFilter& typo : {AccessFilter{.section = "safe_contct"},
                                   AccessFilter{.action = "section_opened"},
                                   AccessFilter{.section = "nonsense"}}) {
    const absl::Status status = CheckFilter(typo);
    EXPECT_EQ(ErrorCodeOf(status), "usage");
    EXPECT_THAT(std::string(status.message()),
                testing::AnyOf(testing::HasSubstr("safe_contact"),
                               testing::HasSubstr("section_open")));
  }
  for (const AccessFilter& good :
       {AccessFilter(), AccessFilter{.section = "safe_contact"},
        AccessFilter{.section = "risk_summary"},
        AccessFilter{.action = "access_log_read"}})
    EXPECT_TRUE(CheckFilter(good).ok());
}

}  // namespace
}  // namespace amparo::auditor

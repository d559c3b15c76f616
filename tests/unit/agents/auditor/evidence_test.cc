#include "agents/auditor/evidence.h"

#include "absl/strings/match.h"
#include "agents/auditor/entry_view.h"
#include "agents/auditor/evidence_check.h"
#include "agents/auditor/evidence_make.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "crypto/sd_jwt.h"
#include "proto/envelope/anchor.h"
#include "tests/unit/agents/auditor/replay_fixture.h"

namespace amparo::auditor {
namespace {

constexpr char kTyp[] = "amparo-referral+sd-jwt";

// An auditor who makes a pack for a court, and a court that has only the root.
class EvidenceTest : public ReplayFixture {
 protected:
  Evidence Made(LeafIndex subject,
                std::optional<EvidenceDocument> document = std::nullopt) {
    Export();
    FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
    return VALUE_OF(
        MakeEvidence(source, subject, log_.root(), std::move(document)));
  }
  absl::Status MadeStatus(LeafIndex subject) {
    Export();
    FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
    return MakeEvidence(source, subject, log_.root(), std::nullopt).status();
  }
  // What the court says: of a file, as it comes.
  bool CourtBelieves(absl::string_view file) {
    const absl::StatusOr<Evidence> evidence = ParseEvidence(file);
    return evidence.ok() && JudgeEvidence(*evidence, log_.root()).ok();
  }
  bool CourtBelieves(const Evidence& evidence) {
    return CourtBelieves(FormatEvidence(evidence));
  }

  // A referral of ong, and the envelope that carries it.
  EvidenceDocument AddReferral() {
    const LogMember& ong = log_.member("ong");
    const IssuedSdJwt issued = VALUE_OF(
        IssueSlots(ong.signing, kTyp,
                   {{"net", log_.network_id().ToString()}, {"iss", "ong"}},
                   {"risk", "health"}, {{"risk", {{"level", "high"}}}}));
    EvidenceDocument document{issued.jwt,
                              {issued.disclosures.at("risk")},
                              RandomBytes(32),
                              ManifestDigest(RandomBytes(32), {}, {})};
    envelope_ = log_.AddEnvelope("ong", "uls", [&](Header& header) {
      header.anchor = AnchorDigest(document.salt, SdJwtDigest(issued.jwt),
                                   document.manifest);
    });
    return document;
  }

  LeafIndex envelope_;
};

TEST_F(EvidenceTest, ProvesAnEnvelopeWithNothingButTheRoot) {
  const LeafIndex sent = log_.AddEnvelope("ong", "uls");
  log_.AddReceipt(sent);
  log_.AddEnvelope("gnr", "uls");
  const Evidence evidence = Made(sent);
  const EvidenceVerdict verdict = JudgeEvidence(
      VALUE_OF(ParseEvidence(FormatEvidence(evidence))), log_.root());
  EXPECT_TRUE(verdict.ok()) << ToText(verdict);
  EXPECT_EQ(verdict.subject.from, "ong");
  EXPECT_EQ(verdict.subject.to, "uls");
  EXPECT_EQ(verdict.subject.digest, log_.DigestAt(sent).ToString());
  EXPECT_EQ(verdict.report.network, "test-example");
  // Two charters, ong's two key events and the envelope: nobody else's.
  EXPECT_EQ(evidence.entries.size(), 5u);
  EXPECT_THAT(ToText(verdict), testing::HasSubstr("Result: OK"));
}

TEST_F(EvidenceTest, ProvesEveryKindOfEntry) {
  const LeafIndex sent = log_.AddEnvelope("ong", "uls");
  const LeafIndex recalled = log_.AddEnvelope("ong", "uls");
  const LeafIndex receipt = log_.AddReceipt(sent);
  const LeafIndex recall = log_.AddRecall(recalled);
  const LeafIndex anchor = log_.AddAnchor("gnr");
  const LeafIndex charter =
      log_.AddCharter([](Charter& next) { next.title = "Another"; });
  for (const LeafIndex leaf :
       {LeafIndex(0), LeafIndex(2), sent, receipt, recall, anchor, charter})
    EXPECT_TRUE(CourtBelieves(Made(leaf))) << leaf.value();
}

TEST_F(EvidenceTest, ProvesWhatWasSignedByAKeyThatIsGoneSince) {
  const LeafIndex sent = log_.AddEnvelope("ong", "uls");
  log_.AddSigningKey("ong", false);
  EXPECT_TRUE(CourtBelieves(Made(sent)));
}

TEST_F(EvidenceTest, ShowsADocumentWithTheSectionsThatAreDisclosed) {
  const EvidenceDocument document = AddReferral();
  const EvidenceVerdict verdict =
      JudgeEvidence(Made(envelope_, document), log_.root());
  ASSERT_TRUE(verdict.ok()) << ToText(verdict);
  EXPECT_EQ(verdict.document_signer, "ong");
  ASSERT_EQ(verdict.disclosed.size(), 1u);
  EXPECT_EQ(verdict.disclosed[0].first, "risk");
  EXPECT_EQ(verdict.disclosed[0].second["level"], "high");
}

TEST_F(EvidenceTest, RefusesWhatIsNotThereOrErased) {
  const LeafIndex sent = log_.AddEnvelope("ong", "uls");
  EXPECT_EQ(ErrorCodeOf(MadeStatus(LeafIndex(9999))), "not_found");
  log_.openings.erase(sent.value());
  EXPECT_EQ(ErrorCodeOf(MadeStatus(sent)), "not_found");
}

TEST_F(EvidenceTest, RefusesToProveWhatTheLogDoesNotBearOut) {
  const LeafIndex sent = log_.AddEnvelope("ong", "uls");
  Export();
  Flip(Bundle(), OffsetOf(sent.value()) + 20);
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  EXPECT_FALSE(MakeEvidence(source, sent, log_.root(), std::nullopt).ok());
}

TEST_F(EvidenceTest, AttackAnyByteOfThePackIsChanged) {
  const EvidenceDocument document = AddReferral();
  const std::string pack = FormatEvidence(Made(envelope_, document));
  ASSERT_TRUE(CourtBelieves(pack));
  for (size_t at = 0; at < pack.size(); ++at) {
    std::string changed = pack;
    changed[at] = static_cast<char>(changed[at] ^ 0x01);
    EXPECT_FALSE(CourtBelieves(changed)) << at << ": " << pack.substr(at, 20);
  }
}

TEST_F(EvidenceTest, AttackThePackIsCutOffOrGoesOn) {
  const std::string pack = FormatEvidence(Made(log_.AddEnvelope("ong", "uls")));
  EXPECT_FALSE(CourtBelieves(pack + " "));
  EXPECT_FALSE(CourtBelieves(" " + pack));
  for (size_t size = 0; size < pack.size(); size += 101)
    EXPECT_FALSE(CourtBelieves(pack.substr(0, size))) << size;
}

TEST_F(EvidenceTest, AttackAnEntryIsLeftOut) {
  const LeafIndex sent = log_.AddEnvelope("ong", "uls");
  const Evidence whole = Made(log_.AddReceipt(sent));
  for (size_t i = 0; i < whole.entries.size(); ++i) {
    Evidence less = whole;
    less.entries.erase(less.entries.begin() + static_cast<long>(i));
    // Prekeys at the end of a member's chain are not needed by anything.
    const bool needed = i < 2 || i + 2 >= whole.entries.size();
    if (needed) {
      EXPECT_FALSE(CourtBelieves(less)) << i;
    }
  }
}

TEST_F(EvidenceTest, AttackThePackIsOfAnotherNetwork) {
  const Evidence evidence = Made(log_.AddEnvelope("ong", "uls"));
  const LogBuilder other;
  const EvidenceVerdict verdict = JudgeEvidence(evidence, other.root());
  ASSERT_EQ(verdict.report.findings().size(), 1u);
  EXPECT_EQ(verdict.report.findings()[0].code, FindingCode::kBadCharter);
}

TEST_F(EvidenceTest, AttackThePackIsAboutAnotherEntryThanItSays) {
  const Evidence evidence = Made(log_.AddEnvelope("ong", "uls"));
  for (const EvidenceEntry& entry : evidence.entries) {
    if (entry.index == evidence.subject) continue;
    Evidence moved = evidence;
    moved.subject = entry.index;
    EXPECT_FALSE(CourtBelieves(moved)) << entry.index.value();
  }
}

TEST_F(EvidenceTest, AttackTheCheckpointIsSignedByAStranger) {
  Evidence evidence = Made(log_.AddEnvelope("ong", "uls"));
  const Note note = VALUE_OF(ParseNote(evidence.checkpoint));
  const Checkpoint claimed = VALUE_OF(ParseCheckpoint(note.text));
  evidence.checkpoint =
      VALUE_OF(SignCheckpoint(claimed, SigningKey::Generate()));
  EXPECT_FALSE(CourtBelieves(evidence));
}

TEST_F(EvidenceTest, AttackALineByAStrangerIsPutUnderTheCheckpoint) {
  Evidence evidence = Made(log_.AddEnvelope("ong", "uls"));
  Note note = VALUE_OF(ParseNote(evidence.checkpoint));
  ASSERT_OK(SignNote(note, "stranger.example", SigningKey::Generate()));
  evidence.checkpoint = FormatNote(note);
  EXPECT_FALSE(CourtBelieves(evidence));
}

TEST_F(EvidenceTest, AttackTheDocumentIsAnotherOfTheSameMember) {
  const EvidenceDocument first = AddReferral();
  const LeafIndex first_envelope = envelope_;
  const EvidenceDocument second = AddReferral();
  Evidence evidence = Made(first_envelope, first);
  evidence.document->token = second.token;
  evidence.document->disclosures = second.disclosures;
  EXPECT_FALSE(CourtBelieves(evidence));
  evidence.document = second;
  EXPECT_FALSE(CourtBelieves(evidence));
}

TEST_F(EvidenceTest, AttackASectionIsMadeUp) {
  const EvidenceDocument document = AddReferral();
  Evidence evidence = Made(envelope_, document);
  evidence.document->disclosures[0] = ToBase64Url(AsBytes(absl::string_view(
      R"(["c2FsdHNhbHRzYWx0c2FsdHNhbHRzYWx0c2FsdHNhbHQ","risk",{"level":"none"}])")));
  EXPECT_FALSE(CourtBelieves(evidence));
}

TEST_F(EvidenceTest, ProvesACharterThatCameAfterASuspension) {
  const LeafIndex suspension = log_.AddSuspension("gnr");
  const LeafIndex charter = log_.AddCharter([](Charter& next) {
    for (Member& member : next.members)
      if (member.id.text() == "gnr") member.status = MemberStatus::kLeft;
  });
  const LeafIndex sent = log_.AddEnvelope("ong", "uls");
  for (const LeafIndex leaf : {suspension, charter, sent})
    EXPECT_TRUE(CourtBelieves(Made(leaf))) << leaf.value();
  EXPECT_EQ(Made(charter).Find(suspension), nullptr);
  EXPECT_NE(Made(sent).Find(suspension), nullptr);
}

TEST_F(EvidenceTest, SaysWhomASuspensionStopsAndUntilWhen) {
  const absl::Time from = log_.now;
  const LeafIndex suspension = log_.AddSuspension("gnr");
  const EvidenceVerdict verdict = JudgeEvidence(Made(suspension), log_.root());
  ASSERT_TRUE(verdict.ok());
  const std::string says =
      absl::StrCat("suspension, of gnr, from ", FormatUtc(from), " until ",
                   FormatUtc(from + kSuspensionLifeMax));
  EXPECT_TRUE(absl::StrContains(ToText(verdict), says)) << ToText(verdict);
}

// Who has a key whose time ran out, and the broker, write of a time before.
TEST_F(EvidenceTest, AttackAnEntryIsDatedBack) {
  log_.AddCharter([](Charter& next) { next.title = "Another"; });
  log_.now -= absl::Hours(2);
  const LeafIndex sent = log_.AddEnvelope("ong", "uls");
  EXPECT_EQ(ErrorCodeOf(MadeStatus(sent)), "verification_failed");
  log_.now += absl::Hours(2);
  EXPECT_TRUE(CourtBelieves(Made(log_.AddEnvelope("ong", "uls"))));
}

TEST_F(EvidenceTest, AttackASignatureIsOfAnotherTimeThanItsEntry) {
  const LeafIndex sent = log_.AddEnvelope(
      "ong", "uls", [](Header& header) { header.created -= absl::Hours(2); });
  EXPECT_EQ(ErrorCodeOf(MadeStatus(sent)), "verification_failed");
}

// A lost opening beside it, and an erasure by one member: no excuse for an
// expiry of what was never logged.
TEST_F(EvidenceTest, AttackASealedEntryExcusesAnotherOne) {
  const LeafIndex sealed = log_.AddAnchor("gnr");
  log_.openings.erase(sealed.value());
  const LeafIndex erasure = log_.AddErasure("gnr", {sealed});
  const LeafIndex expiry = log_.AddEvent(ExpiryEvent{Sha256("never logged")});
  Evidence evidence = Made(erasure);
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  const TreeSize size(log_.entries.size());
  for (const LeafIndex leaf : {sealed, expiry})
    evidence.entries.push_back(VALUE_OF(FetchEntry(source, leaf, size)));
  std::sort(evidence.entries.begin(), evidence.entries.end(),
            [](const auto& a, const auto& b) { return a.index < b.index; });
  evidence.subject = expiry;
  EXPECT_FALSE(CourtBelieves(evidence));
}

TEST_F(EvidenceTest, ShowsOneEntryAsItStands) {
  const LeafIndex sent = log_.AddEnvelope("ong", "uls");
  Export();
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  const Checkpoint head = VALUE_OF(
      ParseCheckpoint(VALUE_OF(ParseNote(VALUE_OF(source.Checkpoint()))).text));
  EvidenceEntry entry = VALUE_OF(FetchEntry(source, sent, head.size));
  const EntryView view = ViewEntry(entry, head);
  EXPECT_TRUE(view.included);
  EXPECT_TRUE(view.fits);
  EXPECT_EQ(view.fields["event"], "envelope");
  EXPECT_EQ(view.fields["from"], "ong");
  EXPECT_THAT(ToText(view), testing::HasSubstr("in the tree"));
  entry.event.back() ^= 1;
  EXPECT_FALSE(ViewEntry(entry, head).fits);
  entry.entry.back() ^= 1;
  EXPECT_FALSE(ViewEntry(entry, head).included);
}

}  // namespace
}  // namespace amparo::auditor

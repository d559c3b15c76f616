#include <sys/stat.h>

#include "absl/strings/str_split.h"
#include "agents/auditor/entry_view.h"
#include "agents/auditor/evidence_make.h"
#include "base/encoding.h"
#include "base/json.h"
#include "crypto/jws.h"
#include "tests/unit/agents/auditor/replay_fixture.h"

// A broker, or a member, edits the log. Every test is one way to do it, and
// where the auditor sees it.

namespace amparo::auditor {
namespace {

class ReplayAttack : public ReplayFixture {
 protected:
  // A small day: two envelopes and their receipts.
  ReplayAttack() {
    first_ = log_.AddEnvelope("ong", "uls");
    receipt_ = log_.AddReceipt(first_);
    second_ = log_.AddEnvelope("ong", "uls");
    last_ = log_.AddReceipt(second_);
  }

  // Edits the opening of `leaf` as the exported line has it.
  void EditOpening(LeafIndex leaf, const std::function<void(Json&)>& edit) {
    std::string lines;
    for (absl::string_view line :
         absl::StrSplit(Read("openings/000.jsonl"), '\n', absl::SkipEmpty())) {
      Json opening = VALUE_OF(ParseJson(line));
      if (opening["index"] == leaf.value()) edit(opening);
      if (!opening.is_null()) lines += DumpJson(opening) + "\n";
    }
    Write("openings/000.jsonl", lines);
  }

  LeafIndex first_, receipt_, second_, last_;
};

TEST_F(ReplayAttack, AFlippedByteInAnyEntryIsFoundThere) {
  Export();
  const std::string bundle = Read(Bundle());
  for (size_t index = 0; index < log_.entries.size(); ++index) {
    const size_t middle = log_.entries[index].size() / 2;
    for (const size_t at : {size_t{0}, size_t{8}, middle}) {
      Flip(Bundle(), OffsetOf(index) + at);
      EXPECT_THAT(Replayed(), FirstFails(FindingCode::kLeafMismatch, index))
          << "byte " << at;
      Write(Bundle(), bundle);
    }
  }
}

TEST_F(ReplayAttack, AnEntryWithAnotherLengthIsFoundThere) {
  Export();
  Flip(Bundle(), OffsetOf(second_.value()) - 1);
  EXPECT_THAT(Replayed(),
              FirstFails(FindingCode::kLeafMismatch, second_.value()));
}

TEST_F(ReplayAttack, AnAlteredEntryIsNotMadeGoodByAnAlteredTile) {
  Export();
  const Bytes entry =
      EncodeLogEntry({log_.now, CommitmentEntry{Sha256("something else")}});
  const Digest hash = LeafHash(entry);
  std::string bundle = Read(Bundle());
  bundle.replace(OffsetOf(last_.value()), entry.size(), amparo::ToText(entry));
  Write(Bundle(), bundle);
  std::string tile = Read(Tile());
  tile.replace(last_.value() * 32, 32, amparo::ToText(hash.bytes()));
  Write(Tile(), tile);
  const Report report = Replayed();
  EXPECT_THAT(report, FirstFails(FindingCode::kOpeningMismatch, last_.value()));
  EXPECT_EQ(report.findings().back().code, FindingCode::kRootMismatch);
}

TEST_F(ReplayAttack, AFlippedByteInATileIsFoundAtItsEntry) {
  Export();
  Flip(Tile(), 32 * first_.value() + 5);
  const Report report = Replayed();
  EXPECT_THAT(report, FirstFails(FindingCode::kLeafMismatch, first_.value()));
  EXPECT_EQ(report.findings().size(), 1u);
}

TEST_F(ReplayAttack, AFlippedByteInAHigherTileIsFoundAtTheEntriesItCovers) {
  while (log_.entries.size() < 520) log_.AddAnchor("ong");
  Export();
  Flip("tile/1/000.p/2", 40);
  const Report report = Replayed();
  EXPECT_THAT(report, FirstFails(FindingCode::kLeafMismatch, 256));
  EXPECT_EQ(report.findings().size(), 1u);
}

TEST_F(ReplayAttack, AMismatchBelowIsNotToldAgainAbove) {
  while (log_.entries.size() < 520) log_.AddAnchor("ong");
  Export();
  const size_t entry = log_.entries[300].size() + 2;
  Flip("tile/entries/001", (300 - 256) * entry + 20);
  const Report report = Replayed();
  EXPECT_THAT(report, FirstFails(FindingCode::kLeafMismatch, 300));
  for (const Finding& finding : report.findings())
    EXPECT_TRUE(!finding.index || *finding.index == LeafIndex(300));
}

TEST_F(ReplayAttack, BytesBehindATileOrBundleAreFound) {
  for (const bool bundle : {true, false})
    for (const std::string& more : {std::string("x"), std::string(32, '\0')}) {
      Export();
      const std::string name = bundle ? Bundle() : Tile();
      Write(name, Read(name) + more);
      EXPECT_THAT(Replayed(), FirstFails(FindingCode::kTileMissing, 0)) << name;
    }
}

TEST_F(ReplayAttack, AMissingTileIsFoundAtItsFirstEntry) {
  while (log_.entries.size() < 520) log_.AddAnchor("ong");
  Export();
  Remove("tile/0/001");
  EXPECT_THAT(Replayed(), FirstFails(FindingCode::kTileMissing, 256));
}

TEST_F(ReplayAttack, AMissingBundleIsFoundAtItsFirstEntry) {
  while (log_.entries.size() < 520) log_.AddAnchor("ong");
  Export();
  Remove("tile/entries/001");
  EXPECT_THAT(Replayed(), FirstFails(FindingCode::kTileMissing, 256));
}

TEST_F(ReplayAttack, AMissingTailIsFoundWhereItBegins) {
  Export();
  std::string bundle = Read(Bundle());
  bundle.resize(OffsetOf(last_.value()) - 2);
  Write(Bundle(), bundle);
  EXPECT_THAT(Replayed(), FirstFails(FindingCode::kTileMissing, last_.value()));
}

TEST_F(ReplayAttack, AnyFlippedByteInTheCheckpointIsFound) {
  Export();
  const std::string checkpoint = Read("checkpoint");
  for (size_t at = 0; at < checkpoint.size(); ++at) {
    Flip("checkpoint", at);
    EXPECT_THAT(Replayed(), FailsAsAWhole(FindingCode::kBadCheckpoint))
        << "byte " << at;
    Write("checkpoint", checkpoint);
  }
}

TEST_F(ReplayAttack, AMissingCheckpointIsFound) {
  Export();
  Write("checkpoint", "");
  EXPECT_THAT(Replayed(), FailsAsAWhole(FindingCode::kBadCheckpoint));
}

TEST_F(ReplayAttack, ACheckpointByAStrangersKeyIsFound) {
  Export();
  Write("checkpoint", VALUE_OF(SignCheckpoint(
                          VALUE_OF(ParseCheckpoint(
                              VALUE_OF(ParseNote(Read("checkpoint"))).text)),
                          SigningKey::Generate())));
  EXPECT_THAT(Replayed(), FailsAsAWhole(FindingCode::kBadCheckpoint));
}

TEST_F(ReplayAttack, ACheckpointOfOtherEntriesIsFound) {
  Export();
  LogBuilder other = std::move(log_);
  other.AddAnchor("ong");
  // The log key signs one root and shows the entries of another.
  Write("checkpoint",
        VALUE_OF(SignCheckpoint({"test-example",
                                 TreeSize(other.entries.size() - 1),
                                 Sha256("another root"),
                                 {}},
                                other.log_key())));
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  EXPECT_THAT(VALUE_OF(Replay(source, {.root = other.root()})),
              FailsAsAWhole(FindingCode::kRootMismatch));
}

TEST_F(ReplayAttack, AnyEditOfACharterIsFoundAtItsEntry) {
  Export();
  const std::string name =
      absl::StrCat("documents/", ToHex(log_.charter().hash.bytes()), ".json");
  const std::string document = Read(name);
  for (size_t at = 0; at < document.size(); at += 97) {
    Flip(name, at);
    EXPECT_THAT(Replayed(), FirstFails(FindingCode::kBadCharter, 1))
        << "byte " << at;
    Write(name, document);
  }
  Remove(name);
  EXPECT_THAT(Replayed(), FirstFails(FindingCode::kBadCharter, 1));
}

TEST_F(ReplayAttack, AMissingCharterEndsTheJudgementOfKeysAndSignatures) {
  Export();
  Remove(
      absl::StrCat("documents/", ToHex(log_.charter().hash.bytes()), ".json"));
  const Report report = Replayed();
  EXPECT_EQ(report.step(Step::kKeyEvents).Ok(), std::nullopt);
  EXPECT_EQ(report.step(Step::kSignatures).Ok(), std::nullopt);
  EXPECT_EQ(report.step(Step::kTiles).Ok(), true);
  EXPECT_EQ(report.step(Step::kCheckpoint).Ok(), true);
}

TEST_F(ReplayAttack, AnotherRootThanThePinnedOneIsFound) {
  Export();
  EXPECT_THAT(Replayed({.root = Sha256("another network")}),
              FirstFails(FindingCode::kBadCharter, 0));
}

TEST_F(ReplayAttack, ALogThatDoesNotBeginWithItsCharterIsFound) {
  log_.entries.erase(log_.entries.begin());
  log_.openings.clear();
  EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kBadCharter, 0));
  log_.entries.clear();
  EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kBadCharter, 0));
}

TEST_F(ReplayAttack, ACharterSignedByTooFewIsFound) {
  const LeafIndex leaf =
      log_.AddCharter([](Charter& next) { next.members[0].name = "ghost"; }, 1);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadCharter, leaf.value()));
}

TEST_F(ReplayAttack, AfterARefusedCharterTheOneBeforeStaysInForce) {
  const LeafIndex refused =
      log_.AddCharter([](Charter& next) { next.members.pop_back(); }, 1);
  log_.AddReceipt(log_.AddEnvelope("ong", "uls"));
  log_.AddCharter([](Charter& next) { next.title = "Third"; });
  const LeafIndex last = log_.AddSigningKey("uls");
  Report report = ExportAndReplay();
  ASSERT_THAT(report, FirstFails(FindingCode::kBadCharter, refused.value()));
  EXPECT_EQ(report.findings().size(), 1u);
  EXPECT_EQ(report.charter_version, 3u);
  for (const Step step : {Step::kKeyEvents, Step::kSignatures, Step::kLinks})
    EXPECT_EQ(report.step(step).Ok(), true) << NameOf(step);
  // And what is wrong behind it is still found.
  const LeafIndex forged = log_.Add({log_.now, KeyEventEntry{"not signed"}});
  report = ExportAndReplay();
  EXPECT_EQ(report.findings().back().index, forged);
  EXPECT_GT(forged, last);
}

TEST_F(ReplayAttack, ASecondLeafForACharterVersionIsFound) {
  const LeafIndex leaf =
      log_.Add({log_.now, CharterEntry{2, log_.charter().hash}});
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadCharter, leaf.value()));
}

TEST_F(ReplayAttack, ACharterWithAStrangersSignatureAddedIsAnotherDocument) {
  Export();
  const std::string name =
      absl::StrCat("documents/", ToHex(log_.charter().hash.bytes()), ".json");
  MultiJws jws = VALUE_OF(ParseMultiJws(Read(name), kCharterBytesMax));
  AddSignature(jws, SigningKey::Generate(), kCharterTyp);
  Write(name, FormatMultiJws(jws));
  EXPECT_THAT(Replayed(), FirstFails(FindingCode::kBadCharter, 1));
}

TEST_F(ReplayAttack, ACharterUnderAnotherVersionsNumberIsFound) {
  log_.AddCharter([](Charter& next) { next.title = "Third"; });
  log_.entries.pop_back();
  const LeafIndex leaf =
      log_.Add({log_.now, CharterEntry{7, log_.charter().hash}});
  const Report report = ExportAndReplay();
  EXPECT_THAT(report, FirstFails(FindingCode::kBadCharter, leaf.value()));
  EXPECT_EQ(report.charter_version, 3u) << "agents go by the document";
}

TEST_F(ReplayAttack, AKeyEventByAStrangerIsFound) {
  log_.member("gnr").identity = SigningKey::Generate();
  const LeafIndex leaf = log_.AddSigningKey("gnr", false);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadKeyEvent, leaf.value()));
}

TEST_F(ReplayAttack, TwoKeyEventsWithOneNumberAreFound) {
  const uint64_t seq = log_.member("gnr").key_seq;
  const Digest head = log_.member("gnr").key_head;
  log_.AddPrekey("gnr");
  log_.member("gnr").key_seq = seq;
  log_.member("gnr").key_head = head;
  const LeafIndex leaf = log_.AddPrekey("gnr");
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadKeyEvent, leaf.value()));
}

TEST_F(ReplayAttack, AForgedOpeningIsFound) {
  Export();
  const std::string lines = Read("openings/000.jsonl");
  for (const char* field : {"salt", "event"}) {
    EditOpening(second_, [&](Json& opening) {
      std::string text = opening[field];
      text[3] = text[3] == 'A' ? 'B' : 'A';
      opening[field] = text;
    });
    EXPECT_THAT(Replayed(),
                FirstFails(FindingCode::kOpeningMismatch, second_.value()))
        << field;
    Write("openings/000.jsonl", lines);
  }
}

TEST_F(ReplayAttack, AnyFlippedByteInAnOpeningsLineIsFoundAtItsEntry) {
  Export();
  const std::string lines = Read("openings/000.jsonl");
  const size_t begin = lines.find('\n') + 1;
  const size_t end = lines.find('\n', begin);
  for (size_t at = begin; at < end; at += 11) {
    Flip("openings/000.jsonl", at);
    const Report report = Replayed();
    EXPECT_FALSE(report.ok()) << "byte " << at;
    EXPECT_EQ(report.first_bad_index(), receipt_) << "byte " << at;
    Write("openings/000.jsonl", lines);
  }
}

TEST_F(ReplayAttack, SwappedOpeningsAreFoundAtTheFirst) {
  std::swap(log_.openings[first_.value()], log_.openings[second_.value()]);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kOpeningMismatch, first_.value()));
}

TEST_F(ReplayAttack, ASecondOpeningForAnEntryIsFound) {
  Export();
  const std::string lines = Read("openings/000.jsonl");
  Write("openings/000.jsonl",
        absl::StrCat(lines, lines.substr(0, lines.find('\n') + 1)));
  EXPECT_THAT(Replayed(),
              FirstFails(FindingCode::kOpeningMismatch, first_.value()));
}

TEST_F(ReplayAttack, AnOpeningTakenAwayWithoutErasureIsFound) {
  log_.openings.erase(last_.value());
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kOpeningMissing, last_.value()));
}

TEST_F(ReplayAttack, AnErasureThatNobodySignedExplainsNothing) {
  log_.openings.erase(last_.value());
  log_.member("gnr").signing = SigningKey::Generate();
  const LeafIndex leaf = log_.AddErasure("gnr", {last_});
  const Report report = ExportAndReplay();
  EXPECT_THAT(report, FirstFails(FindingCode::kOpeningMissing, last_.value()));
  EXPECT_EQ(report.findings()[1].code, FindingCode::kBadSignature);
  EXPECT_EQ(report.findings()[1].index, leaf);
}

TEST_F(ReplayAttack, AnErasureOfWhatComesAfterItExplainsNothing) {
  log_.AddErasure("ong", {LeafIndex(log_.entries.size() + 1)});
  const LeafIndex later = log_.AddEnvelope("ong", "uls");
  log_.openings.erase(later.value());
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kOpeningMissing, later.value()));
}

TEST_F(ReplayAttack, ForgedEventsAreFound) {
  const auto forged = [&](const std::string& id,
                          const std::function<LeafIndex()>& add) {
    SigningKey honest = log_.member(id).signing.Copy();
    log_.member(id).signing = SigningKey::Generate();
    const LeafIndex leaf = add();
    log_.member(id).signing = std::move(honest);
    const Report report = ExportAndReplay();
    EXPECT_THAT(report, FirstFails(FindingCode::kBadSignature, leaf.value()));
    log_.entries.pop_back();
    log_.openings.erase(leaf.value());
  };
  const LeafIndex third = log_.AddEnvelope("uls", "gnr");
  forged("gnr", [&] { return log_.AddReceipt(third); });
  forged("uls", [&] { return log_.AddRecall(third); });
  forged("uls", [&] { return log_.AddAnchor("uls"); });
  forged("gnr", [&] { return log_.AddEnvelope("gnr", "ong"); });
}

TEST_F(ReplayAttack, AReceiptByAnotherThanTheRecipientIsFound) {
  const LeafIndex third = log_.AddEnvelope("uls", "gnr");
  SigningKey honest = log_.member("gnr").signing.Copy();
  log_.member("gnr").signing = log_.member("ong").signing.Copy();
  const LeafIndex named = log_.AddReceipt(third);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, named.value()));
  log_.entries.pop_back();
  log_.openings.erase(named.value());
  const LeafIndex own = log_.AddReceipt(
      third, ReceiptKind::kDelivered,
      [&](Receipt& receipt) { receipt.issuer = log_.member("ong").id; });
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, own.value()));
}

TEST_F(ReplayAttack, AReceiptThatNamesAnotherLeafIsFound) {
  const LeafIndex third = log_.AddEnvelope("uls", "gnr");
  const LeafIndex leaf =
      log_.AddReceipt(third, ReceiptKind::kDelivered,
                      [&](Receipt& receipt) { receipt.leaf = first_; });
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, leaf.value()));
}

TEST_F(ReplayAttack, AnEventOfAnotherNetworkIsFound) {
  const LeafIndex leaf = log_.AddEnvelope("uls", "gnr", [](Header& header) {
    header.network_id = Sha256("elsewhere");
  });
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, leaf.value()));
}

TEST_F(ReplayAttack, AKeyUsedBeforeItsLeafIsFound) {
  // The envelope is logged first, the key that signed it afterwards.
  LogMember& gnr = log_.member("gnr");
  SigningKey old = gnr.signing.Copy();
  LogBuilder copy = std::move(log_);
  copy.AddSigningKey("gnr");
  const Bytes key_event = copy.entries.back();
  copy.entries.pop_back();
  const LeafIndex leaf = copy.AddEnvelope("gnr", "ong");
  copy.entries.push_back(key_event);
  log_ = std::move(copy);
  const Report report = ExportAndReplay();
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.first_bad_index(), leaf);
  EXPECT_EQ(report.findings()[0].code, FindingCode::kBadSignature);
}

TEST_F(ReplayAttack, AKeyUsedAfterItsRevocationIsFound) {
  log_.AddEnvelope("gnr", "ong");
  log_.AddRevocation("gnr");
  const LeafIndex leaf = log_.AddEnvelope("gnr", "ong");
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, leaf.value()));
}

TEST_F(ReplayAttack, MailOfAMemberThatLeftIsFoundHoweverItIsDated) {
  log_.AddCharter(
      [](Charter& next) { next.members[0].status = MemberStatus::kLeft; });
  const LeafIndex leaf = log_.AddEnvelope("gnr", "ong", [&](Header& header) {
    header.created = log_.now - absl::Minutes(5);
  });
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, leaf.value()));
}

TEST_F(ReplayAttack, MailOfASuspendedMemberIsFound) {
  log_.AddCharter(
      [](Charter& next) { next.members[0].status = MemberStatus::kSuspended; });
  const LeafIndex leaf = log_.AddEnvelope("gnr", "ong");
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, leaf.value()));
}

TEST_F(ReplayAttack, MailFromBeforeAReturnIsFound) {
  log_.AddCharter(
      [](Charter& next) { next.members[0].status = MemberStatus::kSuspended; });
  const LeafIndex leaf = log_.AddEnvelope("gnr", "ong");
  log_.AddCharter(
      [](Charter& next) { next.members[0].status = MemberStatus::kActive; });
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, leaf.value()));
}

TEST_F(ReplayAttack, MailFromASuspensionByTwoKeysIsFound) {
  log_.AddSuspension("gnr");
  const LeafIndex leaf = log_.AddEnvelope("gnr", "ong");
  log_.now += kSuspensionLifeMax;
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kBadSignature, leaf.value()));
}

TEST_F(ReplayAttack, ASuspensionByTwoKeysIsNoFinding) {
  log_.AddSuspension("gnr");
  log_.now += kSuspensionLifeMax;
  log_.AddEnvelope("gnr", "ong");
  EXPECT_TRUE(ExportAndReplay().ok());
}

TEST_F(ReplayAttack, ASuspensionThatTwoKeysMayNotMakeIsFound) {
  const struct {
    std::function<void(Suspension&)> edit;
    size_t signers;
  } cases[] = {
      {nullptr, 1},
      {[](Suspension& s) { s.net = Sha256("another"); }, 2},
      {[](Suspension& s) { s.charter_hash = Sha256("another"); }, 2},
      {[](Suspension& s) { s.until += absl::Hours(1); }, 2},
      {[](Suspension& s) { s.from += absl::Hours(1); }, 2},
  };
  for (const auto& [edit, signers] : cases) {
    LogBuilder log;
    const LeafIndex leaf = log.AddSuspension("gnr", edit, signers);
    log_ = std::move(log);
    EXPECT_THAT(ExportAndReplay(),
                FirstFails(FindingCode::kBadCharter, leaf.value()));
  }
  // A second in thirty days, and a second of three members.
  for (const char* next : {"gnr", "uls"}) {
    LogBuilder log;
    log.AddSuspension("gnr");
    const LeafIndex leaf = log.AddSuspension(next);
    log_ = std::move(log);
    EXPECT_THAT(ExportAndReplay(),
                FirstFails(FindingCode::kBadCharter, leaf.value()));
  }
}

TEST_F(ReplayAttack, AReceiptForADeliveredEnvelopeIsFound) {
  const LeafIndex leaf = log_.AddReceipt(first_);
  EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kLate, leaf.value()));
}

TEST_F(ReplayAttack, ARecallAfterDeliveryIsFound) {
  const LeafIndex leaf = log_.AddRecall(second_);
  EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kLate, leaf.value()));
}

TEST_F(ReplayAttack, ADeliveryAfterARecallIsFound) {
  const LeafIndex third = log_.AddEnvelope("ong", "gnr");
  log_.AddRecall(third);
  const LeafIndex leaf = log_.AddReceipt(third);
  EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kLate, leaf.value()));
}

TEST_F(ReplayAttack, AnExpiryBeforeItsTimeIsFound) {
  const LeafIndex third = log_.AddEnvelope("ong", "gnr");
  const LeafIndex leaf = log_.AddExpiry(third);
  EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kLate, leaf.value()));
}

TEST_F(ReplayAttack, ABackdatedEntryIsFound) {
  log_.now -= absl::Hours(2);
  const LeafIndex leaf = log_.AddAnchor("ong");
  EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kLate, leaf.value()));
}

TEST_F(ReplayAttack, AnEnvelopeDatedOutsideTheLimitsIsFound) {
  for (const absl::Duration off : {-absl::Minutes(11), absl::Minutes(6)}) {
    LogBuilder log;
    const LeafIndex leaf = log.AddEnvelope(
        "ong", "uls", [&](Header& header) { header.created += off; });
    log_ = std::move(log);
    EXPECT_THAT(ExportAndReplay(),
                FirstFails(FindingCode::kLate, leaf.value()));
  }
}

TEST_F(ReplayAttack, ADroppedEnvelopeLeavesAGap) {
  log_.AddEnvelope("ong", "uls");
  log_.entries.pop_back();
  log_.openings.erase(log_.entries.size());
  const LeafIndex leaf = log_.AddEnvelope("ong", "uls");
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLinkGap, leaf.value()));
}

TEST_F(ReplayAttack, AChainThatDoesNotBeginAtOneIsAGap) {
  const LeafIndex leaf = log_.AddEnvelope(
      "gnr", "uls", [](Header& header) { header.link_seq = 3; });
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLinkGap, leaf.value()));
}

TEST_F(ReplayAttack, TwoEnvelopesForOneLinkAreAFork) {
  const LeafIndex leaf = log_.AddEnvelope("ong", "uls", [&](Header& header) {
    header.link_seq = 2;
    header.link_prev = log_.DigestAt(first_);
  });
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLinkFork, leaf.value()));
}

TEST_F(ReplayAttack, ALinkThatNamesAnotherEnvelopeIsAFork) {
  const LeafIndex leaf = log_.AddEnvelope("ong", "uls", [&](Header& header) {
    header.link_prev = log_.DigestAt(first_);
  });
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLinkFork, leaf.value()));
}

TEST_F(ReplayAttack, AnEnvelopeLoggedTwiceIsAFork) {
  const LeafIndex leaf = log_.AddEvent(
      VALUE_OF(DecodeAuditEvent(log_.openings[second_.value()].event)));
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLinkFork, leaf.value()));
}

TEST_F(ReplayAttack, ALogThatWasCutShortIsFoundWithAnOlderCheckpoint) {
  const std::string older = log_.SignedCheckpoint();
  log_.entries.pop_back();
  log_.openings.erase(last_.value());
  Export();
  EXPECT_THAT(Replayed(), Passes());
  EXPECT_THAT(Replayed({.root = log_.root(), .since = {older}}),
              FailsAsAWhole(FindingCode::kInconsistent));
}

TEST_F(ReplayAttack, ARewrittenLogIsFoundWithAnOlderCheckpoint) {
  const std::string older = log_.SignedCheckpoint();
  log_.entries.pop_back();
  log_.openings.erase(last_.value());
  log_.AddReceipt(second_);
  log_.AddAnchor("ong");
  Export();
  EXPECT_THAT(Replayed(), Passes());
  EXPECT_THAT(Replayed({.root = log_.root(), .since = {older}}),
              FailsAsAWhole(FindingCode::kInconsistent));
}

TEST_F(ReplayAttack, AnOlderCheckpointThatNobodySignedIsNoEvidence) {
  Export();
  const std::string forged = VALUE_OF(SignCheckpoint(
      {"test-example", TreeSize(5), Sha256("x"), {}}, SigningKey::Generate()));
  for (const std::string& older : {forged, std::string("no note")}) {
    const Report report = Replayed({.root = log_.root(), .since = {older}});
    EXPECT_THAT(report, FailsAsAWhole(FindingCode::kBadCheckpoint));
    EXPECT_EQ(report.findings().size(), 1u);
  }
}

TEST_F(ReplayAttack, ACheckpointWithoutItsQuorumIsFound) {
  log_.AddCharter([](Charter& next) { next.witness_quorum = 2; });
  log_.AddAnchor("ong");
  const Report report = ExportAndReplay();
  EXPECT_THAT(report, FailsAsAWhole(FindingCode::kQuorumMissing));
  EXPECT_EQ(report.quorum, 2u);
  EXPECT_EQ(report.cosignatures, 0u);
}

TEST_F(ReplayAttack, GarbageInEveryFileEndsInFindingsNotInACrash) {
  Export();
  for (int round = 0; round < 30; ++round) {
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(Path(""))) {
      if (!file.is_regular_file() || file.path().filename() == "checkpoint")
        continue;
      std::string content = VALUE_OF(ReadFile(file.path().string(), 64 << 20));
      for (char& c : content)
        if (RandomBelow(40) == 0) c = static_cast<char>(RandomBelow(256));
      std::ofstream(file.path(), std::ios::binary) << content;
    }
    EXPECT_FALSE(Replayed().ok());
  }
}

// One file at a time, one change each: cut anywhere, or a bit anywhere. Every
// one ends in a verdict, and what is wrong says how to see it by hand.
TEST_F(ReplayAttack, APipeInPlaceOfAFileIsFoundAndWaitedForByNobody) {
  log_.AddEnvelope("ong", "uls");
  for (const std::string& name : {std::string("checkpoint"), Bundle(), Tile(),
                                  std::string("openings/000.jsonl")}) {
    Export();
    Remove(name);
    ASSERT_EQ(mkfifo(Path(name).c_str(), 0600), 0) << name;
    EXPECT_FALSE(Replayed().ok()) << name;
  }
}

TEST_F(ReplayAttack, WhatIsNoTextIsShownAllTheSame) {
  const std::string bytes = "no text: \xff\xfe";
  const LeafIndex suspension = log_.Add({log_.now, SuspensionEntry{bytes}});
  const LeafIndex note = log_.AddEvent(AccessLogEvent{bytes});
  Export();
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  const Checkpoint checkpoint =
      VALUE_OF(PeekCheckpoint(VALUE_OF(source.Checkpoint())));
  for (const LeafIndex leaf : {suspension, note}) {
    const EntryView view = ViewEntry(
        VALUE_OF(FetchEntry(source, leaf, checkpoint.size)), checkpoint);
    EXPECT_TRUE(view.included);
    EXPECT_NE(DumpJson(ToJson(view)).find("base64url:"), std::string::npos);
    EXPECT_NE(ToText(view).find("base64url:"), std::string::npos);
  }
  // Neither does the report of a replay stumble over them.
  EXPECT_NE(DumpJson(ToJson(Replayed())), "");
}

TEST_F(ReplayAttack, ADamagedFileEndsInAVerdictThatCanBeCheckedByHand) {
  for (int i = 0; i < 260; ++i) log_.AddAnchor("gnr");
  Export();
  std::vector<std::string> names;
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(Path("")))
    if (file.is_regular_file())
      names.push_back(
          std::filesystem::relative(file.path(), Path("")).string());
  std::sort(names.begin(), names.end());
  uint64_t seed = 20261122;  // the same changes in every run
  const auto next = [&seed](uint64_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % below;
  };
  for (const std::string& name : names) {
    const std::string whole = Read(name);
    if (name == "network.json") continue;  // no part of the log
    for (int round = 0; round < 12; ++round) {
      const size_t at = next(whole.size());
      std::string changed = whole;
      if (round % 3 == 0)
        changed.resize(at);
      else
        changed[at] = static_cast<char>(changed[at] ^ (1 << next(8)));
      Write(name, changed);
      const Report report = Replayed();
      // An end of file ends a line as well as a newline does.
      const bool same = round % 3 == 0 && at + 1 == whole.size();
      EXPECT_EQ(report.ok(), same && name.starts_with("openings/"))
          << name << " at " << at << ", round " << round;
      for (const Finding& finding : report.findings()) {
        EXPECT_FALSE(finding.text.empty());
        EXPECT_FALSE(finding.check.empty()) << finding.text;
      }
      // Entries are told by the one that is bad.
      if (round % 3 != 0 && name == "tile/entries/000") {
        size_t index = 0;
        while (index + 1 < 256 && OffsetOf(index + 1) - 2 <= at) ++index;
        EXPECT_EQ(report.first_bad_index(), LeafIndex(index)) << at;
      }
    }
    Write(name, whole);
  }
  EXPECT_THAT(Replayed(), Passes());
}

TEST_F(ReplayAttack, AClaimedSizeWithoutEndEndsAtTheFirstMissingEntry) {
  Export();
  Write("checkpoint",
        VALUE_OF(SignCheckpoint(
            {"test-example", TreeSize(uint64_t{1} << 62), Sha256("x"), {}},
            log_.log_key())));
  EXPECT_THAT(Replayed(),
              FirstFails(FindingCode::kTileMissing, log_.entries.size()));
}

}  // namespace
}  // namespace amparo::auditor

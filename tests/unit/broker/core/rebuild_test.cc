#include "broker/core/rebuild.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "broker/core/checkpointer.h"
#include "broker/core/start_guard.h"
#include "broker/store/memory_store.h"
#include "crypto/tile.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/logged.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

// A mirror of `store`, to be changed by whoever hands it over.
class EditedMirror final : public MirrorSource {
 public:
  EditedMirror(std::string name, const Store& store, std::string note)
      : notes{std::move(note)}, name_(std::move(name)) {
    for (LoggedEntry& logged : LoggedIn(store)) {
      if (!logged.document.empty())
        documents[Sha256(logged.document)] = logged.document;
      if (!logged.event.empty())
        openings.push_back(
            {LeafIndex(entries.size()), logged.salt, logged.event});
      entries.push_back(std::move(logged.entry));
    }
  }
  std::vector<std::string> notes, charter_notes;
  std::vector<Bytes> entries;
  std::map<Digest, std::string> documents;
  std::vector<OpeningLine> openings;
  int reads_until_change = -1;

  const std::string& name() const override { return name_; }
  absl::StatusOr<std::vector<std::string>> Notes() override { return notes; }
  absl::StatusOr<std::vector<std::string>> CharterNotes() override {
    return charter_notes;
  }
  bool has_entries() const override { return !entries.empty(); }
  absl::StatusOr<std::vector<Bytes>> Bundle(uint64_t index,
                                            uint32_t width) override {
    if (reads_until_change >= 0 && reads_until_change-- == 0)
      entries.back().back() ^= 1;
    const uint64_t first = index * kTileWidth;
    if (first + width > entries.size())
      return absl::NotFoundError("a bundle is missing");
    return std::vector<Bytes>(entries.begin() + first,
                              entries.begin() + first + width);
  }
  absl::StatusOr<std::string> Document(const Digest& hash) override {
    const auto found = documents.find(hash);
    if (found == documents.end()) return absl::NotFoundError("no document");
    return found->second;
  }
  absl::StatusOr<std::vector<OpeningLine>> Openings(uint64_t index) override {
    std::vector<OpeningLine> found;
    for (const OpeningLine& opening : openings)
      if (opening.leaf.value() / kTileWidth == index) found.push_back(opening);
    return found;
  }

 private:
  const std::string name_;
};

class RebuildTest : public testing::Test {
 protected:
  static constexpr int kBefore = 20, kSince = 600;  // several bundles

  RebuildTest() {
    Send(kBefore);
    note_then_ = Signed(broker.store());
    EXPECT_OK(backup->AppendLogged(LoggedIn(broker.store())));
    VALUE_OF(
        backup->PutCheckpoint(broker.store().Head().range.size(), note_then_));
    Send(kSince);
    broker.SetStatus("clinic-c", MemberStatus::kSuspended);
    note = Signed(broker.store());
    mirror = std::make_unique<EditedMirror>("of-a", broker.store(), note);
  }
  void Send(int count) {
    for (int i = 0; i < count; ++i) {
      const auto sent = broker.Send("clinic-a", "clinic-b");
      if (i % 3 == 0)
        VALUE_OF(broker.Acknowledge("clinic-b",
                                    broker.ReceiptFor("clinic-b", sent)));
    }
  }
  std::string Signed(const Store& store) {
    const LogHead head = store.Head();
    return Signed(head.range.size(), head.range.Root());
  }
  std::string Signed(TreeSize size, const Digest& root) {
    return VALUE_OF(
        SignCheckpoint({broker.network(), size, root, {}}, broker.log_key()));
  }
  // With the checkpoint that fits its entries now.
  void SignAgain(EditedMirror& edited) {
    CompactRange range;
    for (const Bytes& entry : edited.entries) range.Append(LeafHash(entry));
    edited.notes = {Signed(range.size(), range.Root())};
  }
  Rebuilding Of(std::vector<MirrorSource*> mirrors) {
    return Rebuilding(*backup, {broker.log()}, std::move(mirrors));
  }
  void ExpectRefused(std::vector<MirrorSource*> mirrors, const char* code,
                     bool with_evidence = false) {
    Rebuilding rebuilding = Of(std::move(mirrors));
    absl::Status refused = rebuilding.Check();
    // What only shows when it is read again touches the copy, never the store.
    if (refused.ok()) {
      const auto copy = NewMemoryStore();
      EXPECT_OK(copy->AppendLogged(LoggedIn(*backup)));
      refused = rebuilding.Apply(*copy).status();
    }
    EXPECT_THAT(refused, StatusIs(StatusCode::kDataLoss));
    EXPECT_EQ(ErrorCodeOf(refused), code);
    EXPECT_EQ(!rebuilding.evidence().empty(), with_evidence);
  }

  BrokerFixture broker{{"clinic-a", "clinic-b", "clinic-c"},
                       nullptr,
                       {.member_rate_per_s = 1000000}};
  std::string note_then_, note;
  const std::unique_ptr<Store> backup = NewMemoryStore();
  std::unique_ptr<EditedMirror> mirror;
};

TEST_F(RebuildTest, BringsAStoreUpToTheLargestOfTheMirrors) {
  EditedMirror behind("of-b", *backup, note_then_);
  Rebuilding rebuilding = Of({mirror.get(), &behind});
  EXPECT_OK(rebuilding.Check());
  const auto result = VALUE_OF(rebuilding.Apply(*backup));
  EXPECT_EQ(result.before.value() + kSince + kSince / 3 + 1,
            result.after.value());
  EXPECT_EQ(result.unopened, 0u);
  EXPECT_EQ(result.lost, (kBefore - 7) + kSince - kSince / 3);
  EXPECT_EQ(backup->Head().range.Root(), broker.store().Head().range.Root());
  EXPECT_EQ(VALUE_OF(backup->NewestCheckpoint()), note);
  EXPECT_OK(CheckStart(*backup, broker.log(), {{note, note_then_}}));
  // The network is the one of now: its last charter suspended clinic-c.
  broker.Restart(backup.get());
  EXPECT_EQ(broker.charter().charter.version, 2u);
  broker.Send("clinic-a", "clinic-b");
  InboxFeed watchers(1);
  Checkpointer checkpointer(*backup, broker.network(), broker.log_key(),
                            broker.witnesses(), watchers, broker.clock());
  EXPECT_OK(checkpointer.PublishNext());
}

TEST_F(RebuildTest, CountsWhatNobodyOpens) {
  mirror->openings.clear();
  Rebuilding rebuilding = Of({mirror.get()});
  EXPECT_OK(rebuilding.Check());
  const auto result = VALUE_OF(rebuilding.Apply(*backup));
  EXPECT_EQ(result.unopened, uint64_t{kSince + kSince / 3});
  EXPECT_EQ(result.lost, uint64_t{kBefore - 7});
}

TEST_F(RebuildTest, PutsTogetherWhatEachMemberHas) {
  EditedMirror other("of-b", broker.store(), note);
  std::vector<OpeningLine> odd, even;
  for (const OpeningLine& opening : mirror->openings)
    (opening.leaf.value() % 2 ? odd : even).push_back(opening);
  mirror->openings = odd;
  other.openings = even;
  mirror->documents.clear();
  Rebuilding rebuilding = Of({mirror.get(), &other});
  EXPECT_OK(rebuilding.Check());
  EXPECT_EQ(VALUE_OF(rebuilding.Apply(*backup)).unopened, 0u);
}

// A mirror that comes when the store has its entries already.
TEST_F(RebuildTest, WhoComesLateStillBringsItsOpenings) {
  EditedMirror late("of-b", broker.store(), note);
  mirror->openings.clear();
  Rebuilding first = Of({mirror.get()});
  EXPECT_OK(first.Check());
  const uint64_t unopened = VALUE_OF(first.Apply(*backup)).unopened;
  EXPECT_GT(unopened, 0u);
  // Nobody new, and it is still said.
  Rebuilding nothing = Of({mirror.get()});
  EXPECT_OK(nothing.Check());
  EXPECT_EQ(VALUE_OF(nothing.Apply(*backup)).unopened, unopened);

  Rebuilding second = Of({mirror.get(), &late});
  EXPECT_OK(second.Check());
  EXPECT_EQ(VALUE_OF(second.Apply(*backup)).unopened, 0u);
  const LeafIndex end(backup->Head().range.size().value());
  const auto expected =
      VALUE_OF(broker.store().Openings(LeafIndex(0), end, 10000));
  const auto found = VALUE_OF(backup->Openings(LeafIndex(0), end, 10000));
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].event, expected[i].event) << i;
    EXPECT_EQ(found[i].parties, expected[i].parties) << i;
  }
}

TEST_F(RebuildTest, AttackALateOpeningThatIsForgedIsRefused) {
  EditedMirror late("of-b", broker.store(), note);
  mirror->openings.clear();
  Rebuilding first = Of({mirror.get()});
  EXPECT_OK(first.Check());
  EXPECT_OK(first.Apply(*backup).status());
  late.openings.back().salt.back() ^= 1;
  Rebuilding second = Of({mirror.get(), &late});
  EXPECT_OK(second.Check());
  EXPECT_EQ(ErrorCodeOf(second.Apply(*backup).status()), "tampered");
}

TEST_F(RebuildTest, MirrorsThatEndWithinTheStoreAddNothing) {
  EditedMirror behind("of-b", *backup, note_then_);
  Rebuilding rebuilding = Of({&behind});
  EXPECT_OK(rebuilding.Check());
  const auto result = VALUE_OF(rebuilding.Apply(*backup));
  EXPECT_EQ(result.before, result.after);
}

TEST_F(RebuildTest, ReachesAsFarAsItsLargestMirror) {
  EditedMirror behind("of-b", *backup, note_then_);
  Rebuilding rebuilding = Of({&behind, mirror.get()});
  EXPECT_OK(rebuilding.Check());
  EXPECT_EQ(rebuilding.reached(), broker.store().Head().range.size());
  Rebuilding alone = Of({&behind});
  EXPECT_OK(alone.Check());
  EXPECT_EQ(alone.reached(), backup->Head().range.size());
}

TEST_F(RebuildTest, NeedsAMirror) {
  EXPECT_THAT(Of({}).Check(), StatusIs(StatusCode::kInvalidArgument));
}

// --- The log's key changed since.

class AfterANewLogKey : public RebuildTest {
 protected:
  AfterANewLogKey() {
    // For a week both sign.
    const LogHead head = backup->Head();
    Note both = VALUE_OF(ParseNote(note_then_));
    both.signatures.push_back(
        VALUE_OF(ParseNote(ByNewKey(head.range.size(), head.range.Root())))
            .signatures[0]);
    EXPECT_OK(store->AppendLogged(LoggedIn(*backup)));
    VALUE_OF(store->PutCheckpoint(head.range.size(), FormatNote(both)));
    const LogHead now = broker.store().Head();
    mirror->notes = {ByNewKey(now.range.size(), now.range.Root())};
  }
  std::string ByNewKey(TreeSize size, const Digest& root) {
    return VALUE_OF(SignCheckpoint({broker.network(), size, root, {}}, next));
  }
  Rebuilding Of(std::vector<MirrorSource*> mirrors) {
    return Rebuilding(
        *store,
        {VALUE_OF(NoteVerifier::Create(broker.network(), NoteKeyType::kEd25519,
                                       next.verify_key()))},
        std::move(mirrors));
  }
  const SigningKey next = SigningKey::Generate();
  const std::unique_ptr<Store> store = NewMemoryStore();
};

TEST_F(AfterANewLogKey, ANoteOfBeforeBesideOneThatCountsDoesNoHarm) {
  mirror->notes.insert(mirror->notes.begin(), note_then_);
  mirror->charter_notes = {note_then_};
  Rebuilding rebuilding = Of({mirror.get()});
  EXPECT_OK(rebuilding.Check());
  EXPECT_OK(rebuilding.Apply(*store).status());
  EXPECT_EQ(store->Head().range.Root(), broker.store().Head().range.Root());
}

TEST_F(AfterANewLogKey, WhoWasAwayMeanwhileStillBringsItsOpenings) {
  EditedMirror away("of-b", *backup, note_then_);
  away.openings = std::exchange(mirror->openings, {});
  Rebuilding rebuilding = Of({&away, mirror.get()});
  EXPECT_OK(rebuilding.Check());
  EXPECT_EQ(VALUE_OF(rebuilding.Apply(*store)).unopened, 0u);
  // Alone it says nothing of the log as it is.
  EXPECT_EQ(ErrorCodeOf(Of({&away}).Check()), "invalid_state");
}

// Whoever has the old key now: its word leads nowhere, and refuses nobody.
TEST_F(AfterANewLogKey, AttackByTheOldKeyMovesNothing) {
  EditedMirror forged("of-b", broker.store(), "");
  forged.openings.clear();
  forged.entries.push_back(forged.entries.back());
  SignAgain(forged);
  Rebuilding rebuilding = Of({mirror.get(), &forged});
  EXPECT_OK(rebuilding.Check());
  EXPECT_OK(rebuilding.Apply(*store).status());
  EXPECT_EQ(store->Head().range.Root(), broker.store().Head().range.Root());
}

TEST_F(AfterANewLogKey, AttackByAKeyThatWasNeverTheLogsIsRefused) {
  EditedMirror forged("of-b", *backup,
                      VALUE_OF(SignCheckpoint({broker.network(),
                                               backup->Head().range.size(),
                                               backup->Head().range.Root(),
                                               {}},
                                              SigningKey::Generate())));
  EXPECT_EQ(ErrorCodeOf(Of({mirror.get(), &forged}).Check()), "tampered");
  mirror->notes = {note};
  mirror->notes.push_back(FormatNote([&] {
    Note bad = VALUE_OF(ParseNote(ByNewKey(TreeSize(3), Digest())));
    bad.signatures[0].signature.back() ^= 1;
    return bad;
  }()));
  EXPECT_EQ(ErrorCodeOf(Of({mirror.get()}).Check()), "tampered");
}

// What must be reached cannot be told any more: said, and never passed over.
TEST_F(AfterANewLogKey, WhatIsKnownByTheOldKeyAloneIsRefused) {
  const LogHead head = broker.store().Head();
  EditedMirror known("of-a-witness", *NewMemoryStore(),
                     Signed(TreeSize(head.range.size().value() + 5), Digest()));
  const absl::Status refused = Of({mirror.get(), &known}).Check();
  EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
  EXPECT_THAT(std::string(refused.message()),
              testing::HasSubstr("of-a-witness"));
}

// --- What somebody knows who has no entries.

class KnownCheckpoint : public RebuildTest {
 protected:
  EditedMirror Known(TreeSize size, const Digest& root) {
    EditedMirror known("of-a-witness", *NewMemoryStore(), Signed(size, root));
    return known;
  }
};

TEST_F(KnownCheckpoint, ThatTheMirrorsReachIsNoMoreThanThat) {
  const LogHead head = broker.store().Head();
  EditedMirror known = Known(head.range.size(), head.range.Root());
  for (const bool first : {true, false}) {
    std::vector<MirrorSource*> sources = {mirror.get(), &known};
    if (first) std::swap(sources[0], sources[1]);
    EXPECT_OK(Of(sources).Check());
  }
  Rebuilding rebuilding = Of({&known, mirror.get()});
  EXPECT_OK(rebuilding.Check());
  EXPECT_OK(rebuilding.Apply(*backup).status());
  EXPECT_EQ(backup->Head().range.Root(), head.range.Root());
}

TEST_F(KnownCheckpoint, ThatNoMirrorReachesIsRefusedBeforeItIsTooLate) {
  Send(1);
  const LogHead head = broker.store().Head();
  EditedMirror known = Known(head.range.size(), head.range.Root());
  const absl::Status refused = Of({mirror.get(), &known}).Check();
  EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
}

TEST_F(KnownCheckpoint, IsNothingThatAMirrorReached) {
  EditedMirror behind(
      "of-b", broker.store(),
      Signed(TreeSize(3), VALUE_OF(StoredRoot(*backup, TreeSize(3)))));
  const LogHead head = backup->Head();
  EditedMirror known = Known(head.range.size(), head.range.Root());
  Rebuilding rebuilding = Of({&behind, &known});
  EXPECT_OK(rebuilding.Check());
  EXPECT_EQ(rebuilding.reached(), TreeSize(3));
}

TEST_F(KnownCheckpoint, OfAnotherHistoryIsAFork) {
  const TreeSize size = broker.store().Head().range.size();
  EditedMirror known = Known(size, Digest());
  ExpectRefused({mirror.get(), &known}, "forked", /*with_evidence=*/true);
  EditedMirror earlier = Known(TreeSize(size.value() - 3), Digest());
  ExpectRefused({mirror.get(), &earlier}, "forked", /*with_evidence=*/true);
}

TEST_F(RebuildTest, WhatStandsBehindTheCheckpointIsNotTaken) {
  mirror->entries.push_back(mirror->entries.back());  // nobody signed it
  Rebuilding rebuilding = Of({mirror.get()});
  EXPECT_OK(rebuilding.Check());
  EXPECT_OK(rebuilding.Apply(*backup).status());
  EXPECT_EQ(backup->Head().range.Root(), broker.store().Head().range.Root());
}

// --- Whoever hands over a mirror may have changed it.

using HostileMirror = RebuildTest;

TEST_F(HostileMirror, AttackAChangedEntryIsRefused) {
  for (const size_t at : {size_t{3}, size_t{300}, mirror->entries.size() - 1}) {
    mirror->entries[at].back() ^= 1;
    ExpectRefused({mirror.get()}, "tampered");
    mirror->entries[at].back() ^= 1;
  }
  EXPECT_OK(Of({mirror.get()}).Check());
}

TEST_F(HostileMirror, AttackASizeThatNobodySignedIsNotReached) {
  EditedMirror behind("of-b", *backup, note_then_);
  behind.notes.push_back(VALUE_OF(SignCheckpoint(
      {broker.network(), TreeSize(uint64_t{1} << 40), Digest(), {}},
      SigningKey::Generate())));
  Rebuilding rebuilding = Of({&behind});
  EXPECT_OK(rebuilding.Check());
  EXPECT_EQ(rebuilding.reached(), backup->Head().range.size());
}

// Also when another one has all that is needed, in whatever order they come.
TEST_F(HostileMirror, AttackAChangedEntryBesideASoundMirrorIsRefused) {
  EditedMirror changed("of-b", broker.store(), note);
  for (const size_t at : {size_t{3}, size_t{300}}) {
    changed.entries[at].back() ^= 1;
    for (const bool first : {true, false}) {
      std::vector<MirrorSource*> mirrors = {mirror.get(), &changed};
      if (first) std::swap(mirrors[0], mirrors[1]);
      ExpectRefused(mirrors, "tampered");
      EXPECT_THAT(std::string(Of(mirrors).Check().message()),
                  testing::HasSubstr("of-b"));
    }
    changed.entries[at].back() ^= 1;
  }
  // One that ends within the store, too.
  EditedMirror behind("of-b", *backup, note_then_);
  behind.entries[3].back() ^= 1;
  ExpectRefused({mirror.get(), &behind}, "tampered");
}

TEST_F(HostileMirror, AttackAMissingOrSwappedEntryIsRefused) {
  const auto all = mirror->entries;
  mirror->entries.pop_back();
  ExpectRefused({mirror.get()}, "tampered");
  mirror->entries = all;
  std::swap(mirror->entries[400], mirror->entries[401]);
  ExpectRefused({mirror.get()}, "tampered");
}

TEST_F(HostileMirror, AttackAnEntryThatChangesBetweenTwoLooksIsRefused) {
  mirror->reads_until_change = 4;
  ExpectRefused({mirror.get()}, "tampered");
}

TEST_F(HostileMirror, AttackATailThatNobodySignedIsRefused) {
  mirror->entries.push_back(mirror->entries.back());
  CompactRange range;
  for (const Bytes& entry : mirror->entries) range.Append(LeafHash(entry));
  const SigningKey own = SigningKey::Generate();
  mirror->notes = {VALUE_OF(
      SignCheckpoint({broker.network(), range.size(), range.Root(), {}}, own))};
  ExpectRefused({mirror.get()}, "tampered");
}

TEST_F(HostileMirror, AttackACheckpointOfAnotherLogIsRefused) {
  BrokerFixture other({"clinic-a"});
  const LogHead head = other.store().Head();
  EditedMirror of_other(
      "of-other", other.store(),
      VALUE_OF(SignCheckpoint(
          {other.network(), head.range.size(), head.range.Root(), {}},
          other.log_key())));
  ExpectRefused({&of_other}, "tampered");
  ExpectRefused({mirror.get(), &of_other}, "tampered");
}

TEST_F(HostileMirror, AttackAForgedOpeningOrCharterIsRefused) {
  mirror->openings.back().event.back() ^= 1;
  ExpectRefused({mirror.get()}, "tampered");
  mirror->openings.pop_back();
  for (auto& [hash, document] : mirror->documents) document += " ";
  ExpectRefused({mirror.get()}, "tampered");
}

// --- The log's key signed two histories: both notes prove it.

TEST_F(HostileMirror, TwoSignedTailsAreRefusedAndTheEvidenceIsKept) {
  EditedMirror forked("of-b", broker.store(), note);
  forked.entries.back() = forked.entries[forked.entries.size() - 3];
  SignAgain(forked);
  ExpectRefused({mirror.get(), &forked}, "forked", /*with_evidence=*/true);
  ExpectRefused({&forked, mirror.get()}, "forked", /*with_evidence=*/true);
  // Of different sizes, too.
  forked.entries.push_back(forked.entries.back());
  SignAgain(forked);
  ExpectRefused({mirror.get(), &forked}, "forked", /*with_evidence=*/true);
  Rebuilding rebuilding = Of({mirror.get(), &forked});
  rebuilding.Check().IgnoreError();
  EXPECT_EQ(rebuilding.evidence(), note + "\n" + forked.notes[0]);
}

TEST_F(HostileMirror, AStoreThatWentOnByItselfIsRefused) {
  broker.Restart(backup.get());
  Send(1);
  ExpectRefused({mirror.get()}, "forked");  // and signed nothing yet
  VALUE_OF(backup->PutCheckpoint(backup->Head().range.size(), Signed(*backup)));
  ExpectRefused({mirror.get()}, "forked", /*with_evidence=*/true);
}

TEST_F(HostileMirror, ASmallerMirrorOfAnotherPastIsRefused) {
  EditedMirror other("of-b", *backup, note_then_);
  other.entries.back()[5] ^= 1;
  SignAgain(other);
  ExpectRefused({&other}, "forked", /*with_evidence=*/true);
}

}  // namespace
}  // namespace amparo::broker

#include "tests/support/store_contract.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "crypto/random.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

const absl::Time kNow = TimeFromUnix(1795262400);

MemberId Member(absl::string_view name) { return *MemberId::Parse(name); }

// An envelope that nobody signed: the store does not look at signatures.
std::shared_ptr<const Envelope> MakeEnvelope(const MemberId& sender,
                                             const MemberId& recipient,
                                             size_t ciphertext_bytes = 64) {
  Header header{1,
                Digest(),
                EnvelopeId::New(),
                Digest(),
                sender,
                Digest(),
                recipient,
                Digest(),
                kNow,
                kNow + kEnvelopeLifeMax,
                ciphertext_bytes,
                {},
                1,
                Digest(),
                Digest()};
  auto envelope = std::make_shared<Envelope>(
      Envelope{header, {}, RandomBytes(32), RandomBytes(ciphertext_bytes), {}});
  envelope->header_bytes = EncodeHeader(header);
  return envelope;
}

Op SubmitOp(std::shared_ptr<const Envelope> envelope, uint64_t max = 1000,
            uint64_t of_sender_max = 1000) {
  Op op;
  op.event = EncodeAuditEvent(EnvelopeEvent{
      envelope->header_bytes, BodyDigest(envelope->enc, envelope->ciphertext),
      envelope->signature});
  const Digest digest = EnvelopeDigest(*envelope);
  op.action = Submit{std::move(envelope), digest, max, of_sender_max};
  return op;
}

Op SettleOp(LeafIndex leaf, const Digest& digest, EnvelopeEventKind kind,
            const std::string& token) {
  Op op;
  op.action = Settle{leaf, digest, kind};
  if (kind == EnvelopeEventKind::kRecalled)
    op.event = EncodeAuditEvent(RecallEvent{token});
  else if (kind == EnvelopeEventKind::kExpired)
    op.event = EncodeAuditEvent(ExpiryEvent{digest});
  else
    op.event = EncodeAuditEvent(ReceiptEvent{token});
  return op;
}

Op DateOp(const MemberId& member, const std::string& text) {
  Op op;
  op.action = Date{member};
  op.event = EncodeAuditEvent(AccessLogEvent{text});
  return op;
}

Op EraseOp(const MemberId& member, std::vector<Erase::Target> targets,
           const std::string& token) {
  Op op;
  op.action = Erase{member, std::nullopt, std::move(targets)};
  op.event = EncodeAuditEvent(ErasureEvent{token});
  return op;
}

Op PublishOp(const std::string& slot, const std::string& document) {
  Op op;
  op.action = Publish{slot, KeyEventEntry{document}, {}};
  return op;
}

Op CharterOp(uint64_t version, const std::string& document) {
  Op op;
  op.action = Publish{absl::StrCat("charter/", version),
                      CharterEntry{version, Sha256(document)}, document};
  return op;
}

OpResult CommitOne(Store& store, const Op& op, absl::Time now = kNow) {
  auto results = VALUE_OF(store.Commit({&op, 1}, now));
  EXPECT_EQ(results.size(), 1u);
  return results[0];
}

// Whatever was asked of a store, its tree is that of its entries.
void ExpectSoundLog(const Store& store) {
  const LogHead head = store.Head();
  const uint64_t size = head.range.size().value();
  const auto entries =
      VALUE_OF(store.Entries(LeafIndex(0), static_cast<uint32_t>(size) + 1));
  ASSERT_EQ(entries.size(), size);
  CompactRange range;
  absl::Time last = absl::UnixEpoch();
  for (uint64_t i = 0; i < size; ++i) {
    const LogEntry entry = VALUE_OF(DecodeLogEntry(entries[i]));
    EXPECT_GE(entry.time, last);
    last = entry.time;
    range.Append(LeafHash(entries[i]), [&](NodeId node, const Digest& hash) {
      if (node.level % 8 != 0) return;
      const auto stored = VALUE_OF(store.Hashes(node.level / 8, node.index, 1));
      ASSERT_EQ(stored.size(), 1u);
      EXPECT_EQ(stored[0], hash);
    });
    const auto opening = store.GetOpening(LeafIndex(i));
    if (!opening.ok()) continue;
    EXPECT_EQ(std::get<CommitmentEntry>(entry.content).commitment,
              LeafCommitment(opening->salt, opening->event));
  }
  EXPECT_EQ(range.Root(), head.range.Root());
  EXPECT_EQ(head.time, last);
}

// --- Rules, one by one.

TEST_P(StoreContract, BeginsEmpty) {
  EXPECT_EQ(store().Head().range.size(), TreeSize(0));
  EXPECT_TRUE(VALUE_OF(store().Entries(LeafIndex(0), 10)).empty());
  EXPECT_TRUE(VALUE_OF(store().Mailbox(Member("a"), {}, 10, 100)).empty());
  EXPECT_THAT(store().NewestCheckpoint(), StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(VALUE_OF(store().FirstLeafAt(kNow)), LeafIndex(0));
  EXPECT_TRUE(VALUE_OF(store().Commit({}, kNow)).empty());
}

TEST_P(StoreContract, KeepsWhatItAnswered) {
  const auto envelope = MakeEnvelope(Member("a"), Member("b"), 5000);
  const OpResult applied = CommitOne(store(), SubmitOp(envelope));
  ASSERT_EQ(applied.outcome, Outcome::kApplied);
  EXPECT_EQ(applied.concerns, std::vector<MemberId>{Member("b")});
  EXPECT_EQ(applied.leaf->entry.time, kNow);
  EXPECT_EQ(applied.leaf->salt.size(), kSaltBytes);
  Reopen();
  const auto items = VALUE_OF(store().Mailbox(Member("b"), {}, 10, 100));
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].ciphertext, AsText(envelope->ciphertext));
  EXPECT_EQ(items[0].enc, envelope->enc);
  const OpResult again =
      CommitOne(store(), SubmitOp(envelope), kNow + absl::Hours(1));
  EXPECT_EQ(again.outcome, Outcome::kReplayed);
  EXPECT_EQ(again.leaf->index, applied.leaf->index);
  EXPECT_EQ(again.leaf->entry, applied.leaf->entry);
  EXPECT_EQ(again.leaf->salt, applied.leaf->salt);
  EXPECT_TRUE(again.concerns.empty());
  ExpectSoundLog(store());
}

TEST_P(StoreContract, TakesOneDigestForAName) {
  const auto first = MakeEnvelope(Member("a"), Member("b"));
  EXPECT_EQ(CommitOne(store(), SubmitOp(first)).outcome, Outcome::kApplied);
  Envelope other = *first;
  other.ciphertext = RandomBytes(64);
  EXPECT_EQ(
      CommitOne(store(), SubmitOp(std::make_shared<const Envelope>(other)))
          .outcome,
      Outcome::kReused);
  EXPECT_EQ(VALUE_OF(store().PendingCount(Member("b"))), 1u);
}

TEST_P(StoreContract, RefusesWithoutATrace) {
  const auto full = SubmitOp(MakeEnvelope(Member("a"), Member("b")), 0);
  EXPECT_EQ(CommitOne(store(), full).outcome, Outcome::kMailboxFull);
  Op stale = SubmitOp(MakeEnvelope(Member("a"), Member("b")));
  stale.publications = 1;
  EXPECT_EQ(CommitOne(store(), stale).outcome, Outcome::kStale);
  Op question = SubmitOp(MakeEnvelope(Member("a"), Member("b")));
  question.replay_only = true;
  EXPECT_EQ(CommitOne(store(), question).outcome, Outcome::kUnknown);
  EXPECT_EQ(CommitOne(store(), SettleOp(LeafIndex(0), Digest(),
                                        EnvelopeEventKind::kDelivered, "x"))
                .outcome,
            Outcome::kUnknown);
  EXPECT_EQ(store().Head().range.size(), TreeSize(0));
  EXPECT_EQ(VALUE_OF(store().PendingCount(Member("b"))), 0u);
}

TEST_P(StoreContract, RefusedOperationsFailNoOthers) {
  const std::vector<Op> ops = {
      SubmitOp(MakeEnvelope(Member("a"), Member("b"))),
      SubmitOp(MakeEnvelope(Member("a"), Member("b")), 1),
      SubmitOp(MakeEnvelope(Member("a"), Member("c")), 1)};
  const auto results = VALUE_OF(store().Commit(ops, kNow));
  EXPECT_EQ(results[0].outcome, Outcome::kApplied);
  EXPECT_EQ(results[1].outcome, Outcome::kMailboxFull);
  EXPECT_EQ(results[2].outcome, Outcome::kApplied);
  EXPECT_EQ(results[2].leaf->index, LeafIndex(1));
}

TEST_P(StoreContract, ASenderHasNoMoreThanItsShareOfAMailbox) {
  const auto sent = MakeEnvelope(Member("a"), Member("b"));
  const auto submit = [](const char* from, const char* to) {
    return SubmitOp(MakeEnvelope(Member(from), Member(to)), 1000, 1);
  };
  EXPECT_EQ(CommitOne(store(), SubmitOp(sent)).outcome, Outcome::kApplied);
  EXPECT_EQ(CommitOne(store(), submit("a", "b")).outcome, Outcome::kShareFull);
  EXPECT_EQ(CommitOne(store(), submit("a", "c")).outcome, Outcome::kApplied);
  EXPECT_EQ(CommitOne(store(), submit("c", "b")).outcome, Outcome::kApplied);
  CommitOne(store(), SettleOp(LeafIndex(0), EnvelopeDigest(*sent),
                              EnvelopeEventKind::kDelivered, "receipt"));
  EXPECT_EQ(CommitOne(store(), submit("a", "b")).outcome, Outcome::kApplied);
  EXPECT_EQ(CommitOne(store(), submit("c", "b")).outcome, Outcome::kShareFull);
}

TEST_P(StoreContract, SeesWhatCameBeforeInTheSameBatch) {
  const auto envelope = MakeEnvelope(Member("a"), Member("b"));
  const Digest digest = EnvelopeDigest(*envelope);
  const std::vector<Op> ops = {
      SubmitOp(envelope), SubmitOp(envelope),
      SettleOp(LeafIndex(0), digest, EnvelopeEventKind::kRecalled, "recall"),
      SettleOp(LeafIndex(0), digest, EnvelopeEventKind::kDelivered, "receipt"),
      SettleOp(LeafIndex(0), digest, EnvelopeEventKind::kRecalled, "recall")};
  const auto results = VALUE_OF(store().Commit(ops, kNow));
  EXPECT_EQ(results[1].outcome, Outcome::kReplayed);
  EXPECT_EQ(results[1].leaf->salt, results[0].leaf->salt);
  EXPECT_EQ(results[2].outcome, Outcome::kApplied);
  EXPECT_EQ(results[3].outcome, Outcome::kWrongState);
  EXPECT_EQ(results[4].outcome, Outcome::kReplayed);
  EXPECT_EQ(results[4].leaf->index, LeafIndex(1));
  EXPECT_EQ(VALUE_OF(store().PendingCount(Member("b"))), 0u);
  EXPECT_EQ(store().Head().range.size(), TreeSize(2));
}

TEST_P(StoreContract, CountsPublicationsAndAnswersStaleOnes) {
  EXPECT_EQ(CommitOne(store(), CharterOp(1, "charter one")).outcome,
            Outcome::kApplied);
  EXPECT_EQ(CommitOne(store(), PublishOp("key/a/1", "event")).outcome,
            Outcome::kApplied);
  EXPECT_EQ(store().Head().publications, 2u);
  Op op = DateOp(Member("a"), "anchor");
  op.publications = 1;
  EXPECT_EQ(CommitOne(store(), op).outcome, Outcome::kStale);
  op.publications = 2;
  EXPECT_EQ(CommitOne(store(), op).outcome, Outcome::kApplied);
  // A replay is answered whatever happened since.
  op.publications = 0;
  EXPECT_EQ(CommitOne(store(), op).outcome, Outcome::kReplayed);

  EXPECT_EQ(CommitOne(store(), CharterOp(1, "charter one")).outcome,
            Outcome::kReplayed);
  EXPECT_EQ(CommitOne(store(), CharterOp(1, "another one")).outcome,
            Outcome::kReused);
  EXPECT_EQ(CommitOne(store(), PublishOp("key/a/1", "other")).outcome,
            Outcome::kReused);
  Reopen();
  const auto publications = VALUE_OF(store().Publications(0, 10));
  ASSERT_EQ(publications.size(), 2u);
  EXPECT_EQ(publications[0].document, "charter one");
  EXPECT_EQ(std::get<KeyEventEntry>(publications[1].entry.content).document,
            "event");
  EXPECT_EQ(VALUE_OF(store().Publications(1, 10)).size(), 1u);
  EXPECT_EQ(VALUE_OF(store().Document(Sha256("charter one"))), "charter one");
  EXPECT_THAT(store().Document(Sha256("another one")),
              StatusIs(StatusCode::kNotFound));
}

TEST_P(StoreContract, FindsTheFirstLeafOfATime) {
  for (const int second : {0, 0, 5, 3, 9})
    CommitOne(store(),
              DateOp(Member("a"),
                     absl::StrCat("note ", second, RandomBelow(1 << 30))),
              kNow + absl::Seconds(second));
  const auto first = [&](int second) {
    return VALUE_OF(store().FirstLeafAt(kNow + absl::Seconds(second))).value();
  };
  EXPECT_EQ(first(-1), 0u);
  EXPECT_EQ(first(0), 0u);
  EXPECT_EQ(first(1), 2u);
  EXPECT_EQ(first(5), 2u);  // and the one at 3 was dated 5
  EXPECT_EQ(first(6), 4u);
  EXPECT_EQ(first(10), 5u);
}

TEST_P(StoreContract, ListsWhatExpired) {
  const auto envelope = MakeEnvelope(Member("a"), Member("b"));
  CommitOne(store(), SubmitOp(envelope));
  const absl::Time expires = envelope->header.expires;
  EXPECT_TRUE(
      VALUE_OF(store().Expired(expires - absl::Seconds(1), 10)).empty());
  const auto expired = VALUE_OF(store().Expired(expires, 10));
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].digest, EnvelopeDigest(*envelope));
  EXPECT_TRUE(VALUE_OF(store().Expired(expires, 0)).empty());
  CommitOne(store(), SettleOp(LeafIndex(0), EnvelopeDigest(*envelope),
                              EnvelopeEventKind::kExpired, ""));
  EXPECT_TRUE(VALUE_OF(store().Expired(expires, 10)).empty());
}

TEST_P(StoreContract, KeepsTheFirstCheckpointOfASize) {
  EXPECT_EQ(VALUE_OF(store().PutCheckpoint(TreeSize(256), "first")), "first");
  EXPECT_EQ(VALUE_OF(store().PutCheckpoint(TreeSize(256), "second")), "first");
  EXPECT_EQ(VALUE_OF(store().PutCheckpoint(TreeSize(3), "small")), "small");
  Reopen();
  EXPECT_EQ(VALUE_OF(store().NewestCheckpoint()), "first");
}

TEST_P(StoreContract, KeepsTheLargestWitnessedCheckpoint) {
  EXPECT_THAT(store().NewestWitnessed(), StatusIs(StatusCode::kNotFound));
  EXPECT_OK(store().PutWitnessed(TreeSize(256), "large", {}));
  EXPECT_OK(store().PutWitnessed(TreeSize(3), "small", {}));
  EXPECT_EQ(VALUE_OF(store().NewestWitnessed()), "large");
  EXPECT_OK(store().PutWitnessed(TreeSize(256), "large, cosigned again", {}));
  Reopen();
  EXPECT_EQ(VALUE_OF(store().NewestWitnessed()), "large, cosigned again");
}

TEST_P(StoreContract, KeepsTheFirstWitnessedCheckpointOfACharter) {
  const std::vector<uint64_t> two = {2}, both = {2, 3};
  EXPECT_THAT(store().WitnessedCharter(2), StatusIs(StatusCode::kNotFound));
  EXPECT_OK(store().PutWitnessed(TreeSize(9), "nine", two));
  EXPECT_OK(store().PutWitnessed(TreeSize(12), "twelve", both));
  Reopen();
  EXPECT_EQ(VALUE_OF(store().WitnessedCharter(2)), "nine");
  EXPECT_EQ(VALUE_OF(store().WitnessedCharter(3)), "twelve");
  EXPECT_THAT(store().WitnessedCharter(4), StatusIs(StatusCode::kNotFound));
}

TEST_P(StoreContract, UsesAnInvitationUpOnce) {
  const Digest token = Sha256("token");
  EXPECT_THAT(store().UseInvitation(token, Sha256("r"), "join"),
              StatusIs(StatusCode::kNotFound));
  EXPECT_OK(store().PutInvitation({token, Member("a"), kNow, std::nullopt}));
  EXPECT_OK(store().UseInvitation(token, Sha256("r"), "join"));
  Reopen();
  EXPECT_OK(store().UseInvitation(token, Sha256("r"), "join"));
  EXPECT_THAT(store().UseInvitation(token, Sha256("other"), "join again"),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(VALUE_OF(store().JoinRequestOf(Member("a"))), "join");
  EXPECT_THAT(store().JoinRequestOf(Member("b")),
              StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(VALUE_OF(store().FindInvitation(token)).used_for, Sha256("r"));
  EXPECT_FALSE(VALUE_OF(store().FindInvitation(token)).new_identity);
  const Digest flagged = Sha256("flagged");
  EXPECT_OK(
      store().PutInvitation({flagged, Member("b"), kNow, std::nullopt, true}));
  EXPECT_TRUE(VALUE_OF(store().FindInvitation(flagged)).new_identity);
  EXPECT_OK(store().UseInvitation(flagged, Sha256("r"), "join b"));
  EXPECT_TRUE(VALUE_OF(store().FindInvitation(flagged)).new_identity);
  EXPECT_EQ(VALUE_OF(store().FindInvitation(flagged)).used_for, Sha256("r"));
  EXPECT_OK(store().PutFoundingToken(Sha256("founding")));
  EXPECT_EQ(VALUE_OF(store().FoundingToken()), Sha256("founding"));
}

TEST_P(StoreContract, SweepsNoticesButNoPendingEnvelope) {
  std::vector<LeafIndex> settled;
  for (int i = 0; i < 6; ++i) {
    const auto envelope = MakeEnvelope(Member(i % 2 ? "a" : "aa"), Member("b"));
    const OpResult sent = CommitOne(store(), SubmitOp(envelope));
    if (i == 4) continue;  // stays pending
    CommitOne(store(),
              SettleOp(sent.leaf->index, EnvelopeDigest(*envelope),
                       EnvelopeEventKind::kDelivered, absl::StrCat(i)));
  }
  const LeafIndex size(store().Head().range.size().value());
  // A newer notice stays.
  const uint64_t last = size.value() - 1;
  EXPECT_EQ(VALUE_OF(store().SweepNotices(LeafIndex(last), 2)), 2u);
  EXPECT_EQ(VALUE_OF(store().SweepNotices(LeafIndex(last), 100)), 2u);
  EXPECT_EQ(VALUE_OF(store().SweepNotices(LeafIndex(last), 100)), 0u);
  EXPECT_EQ(VALUE_OF(store().Mailbox(Member("a"), {}, 10, 100)).size(), 1u);
  EXPECT_TRUE(VALUE_OF(store().Mailbox(Member("aa"), {}, 10, 100)).empty());
  EXPECT_EQ(VALUE_OF(store().Mailbox(Member("b"), {}, 10, 100)).size(), 1u);
}

TEST_P(StoreContract, ErasesWhenAllPartiesAskedAndThenKnowsNothing) {
  const auto envelope = MakeEnvelope(Member("a"), Member("b"));
  const Digest digest = EnvelopeDigest(*envelope);
  const Erase::Target target{LeafIndex(0), {Member("a"), Member("b")}};
  CommitOne(store(), SubmitOp(envelope));
  EXPECT_EQ(CommitOne(store(), EraseOp(Member("a"), {target}, "1")).outcome,
            Outcome::kWrongState);
  CommitOne(store(), SettleOp(LeafIndex(0), digest,
                              EnvelopeEventKind::kDelivered, "receipt"));
  // One party alone, twice, is not both.
  CommitOne(store(), EraseOp(Member("a"), {target}, "2"));
  CommitOne(store(), EraseOp(Member("a"), {target}, "3"));
  EXPECT_OK(store().GetOpening(LeafIndex(0)));
  CommitOne(store(), EraseOp(Member("b"), {target}, "4"));
  EXPECT_THAT(store().GetOpening(LeafIndex(0)),
              StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(store().FindEnvelope(LeafIndex(0)),
              StatusIs(StatusCode::kNotFound));
  // The receipt's notice is left, and its own opening.
  EXPECT_EQ(VALUE_OF(store().Mailbox(Member("a"), {}, 10, 100)).size(), 1u);
  ExpectSoundLog(store());
}

// --- All of it, at random, against a model.

struct Known {
  std::shared_ptr<const Envelope> envelope;
  LeafIndex leaf;
  Digest digest;
  EnvelopeState state = EnvelopeState::kPending;
  std::string ended_by;
  LeafIndex ended_at;
};

class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed) {}

  // An operation and the answer it must get.
  struct Asked {
    Op op;
    Outcome outcome;
    std::optional<LeafIndex> leaf;
  };

  Asked Next() {
    switch (Below(8)) {
      case 0:
      case 1:
      case 2:
        return NewEnvelope();
      case 3:
        return envelopes_.empty() ? NewEnvelope() : SameEnvelope();
      case 4:
        return envelopes_.empty() ? NewEnvelope() : ReusedName();
      case 5:
      case 6:
        return envelopes_.empty() ? NewEnvelope() : EndOfStay();
      default:
        return Below(2) == 0 ? NewNote() : NewKeyEvent();
    }
  }

  void Check(const Store& store) const {
    EXPECT_EQ(store.Head().range.size().value(), size_);
    EXPECT_EQ(store.Head().publications, publications_);
    for (const MemberId& member : members_) CheckMailbox(store, member);
    for (const Known& known : envelopes_) {
      const auto record = VALUE_OF(store.FindEnvelope(known.leaf));
      EXPECT_EQ(record.state, known.state);
      EXPECT_EQ(record.digest, known.digest);
    }
    ExpectSoundLog(store);
  }

 private:
  size_t Below(size_t bound) { return random_() % bound; }
  LeafIndex NextLeaf() { return LeafIndex(size_++); }
  const MemberId& AnyMember() { return members_[Below(members_.size())]; }
  Known& AnyEnvelope() { return envelopes_[Below(envelopes_.size())]; }

  Asked NewEnvelope() {
    const MemberId& to = AnyMember();
    auto envelope = MakeEnvelope(AnyMember(), to, 1 + Below(3000));
    Op op = SubmitOp(envelope, kMailboxMax);
    if (pending_[to] >= kMailboxMax)
      return {std::move(op), Outcome::kMailboxFull, std::nullopt};
    ++pending_[to];
    const LeafIndex leaf = NextLeaf();
    const Digest digest = EnvelopeDigest(*envelope);
    mailboxes_[to].insert(leaf);
    envelopes_.push_back({std::move(envelope), leaf, digest,
                          EnvelopeState::kPending, "", LeafIndex()});
    return {std::move(op), Outcome::kApplied, leaf};
  }

  Asked SameEnvelope() {
    const Known& known = AnyEnvelope();
    return {SubmitOp(known.envelope), Outcome::kReplayed, known.leaf};
  }

  Asked ReusedName() {
    Envelope other = *AnyEnvelope().envelope;
    other.ciphertext = RandomBytes(other.ciphertext.size() + 1);
    return {SubmitOp(std::make_shared<const Envelope>(std::move(other))),
            Outcome::kReused, std::nullopt};
  }

  Asked EndOfStay() {
    static constexpr EnvelopeEventKind kEnds[] = {
        EnvelopeEventKind::kDelivered, EnvelopeEventKind::kUndecryptable,
        EnvelopeEventKind::kRecalled, EnvelopeEventKind::kExpired};
    Known& known = AnyEnvelope();
    const EnvelopeEventKind kind = kEnds[Below(4)];
    const std::string token = kind == EnvelopeEventKind::kExpired
                                  ? "expiry"
                                  : absl::StrCat("token ", Below(3));
    const std::string end = absl::StrCat(static_cast<int>(kind), "/", token);
    Op op = SettleOp(known.leaf, known.digest, kind, token);
    if (known.state != EnvelopeState::kPending) {
      const bool same = SameEvent(known.ended_by, end);
      return {std::move(op), same ? Outcome::kReplayed : Outcome::kWrongState,
              same ? std::optional(known.ended_at) : std::nullopt};
    }
    const Header& header = known.envelope->header;
    known.state = *NextState(known.state, kind);
    known.ended_by = end;
    known.ended_at = NextLeaf();
    --pending_[header.recipient];
    mailboxes_[header.recipient].erase(known.leaf);
    if (kind == EnvelopeEventKind::kRecalled ||
        kind == EnvelopeEventKind::kExpired)
      mailboxes_[header.recipient].insert(known.ended_at);
    if (kind != EnvelopeEventKind::kRecalled)
      mailboxes_[header.sender].insert(known.ended_at);
    return {std::move(op), Outcome::kApplied, known.ended_at};
  }

  // Delivered and undecryptable have the same event bytes for the same token.
  static bool SameEvent(const std::string& a, const std::string& b) {
    const auto normal = [](std::string end) {
      const std::string undecryptable = absl::StrCat(
          static_cast<int>(EnvelopeEventKind::kUndecryptable), "/");
      const std::string delivered =
          absl::StrCat(static_cast<int>(EnvelopeEventKind::kDelivered), "/");
      if (end.rfind(undecryptable, 0) == 0)
        end = delivered + end.substr(undecryptable.size());
      return end;
    };
    return normal(a) == normal(b);
  }

  Asked NewNote() {
    const std::string text = absl::StrCat("note ", Below(20));
    const MemberId& member = AnyMember();
    const auto [known, fresh] =
        notes_.try_emplace({member, text}, LeafIndex(size_));
    if (fresh) NextLeaf();
    return {DateOp(member, text),
            fresh ? Outcome::kApplied : Outcome::kReplayed, known->second};
  }

  Asked NewKeyEvent() {
    const std::string slot = absl::StrCat("key/", Below(5));
    const std::string document = absl::StrCat("event ", Below(2));
    const auto known = slots_.find(slot);
    Op op = PublishOp(slot, document);
    if (known != slots_.end())
      return known->second.first == document
                 ? Asked{std::move(op), Outcome::kReplayed,
                         known->second.second}
                 : Asked{std::move(op), Outcome::kReused, std::nullopt};
    ++publications_;
    const LeafIndex leaf = NextLeaf();
    slots_[slot] = {document, leaf};
    return {std::move(op), Outcome::kApplied, leaf};
  }

  void CheckMailbox(const Store& store, const MemberId& member) const {
    std::set<LeafIndex> seen;
    for (const MailboxItem& item :
         VALUE_OF(store.Mailbox(member, {}, 100000, 1 << 30)))
      seen.insert(item.leaf.index);
    const auto expected = mailboxes_.find(member);
    EXPECT_EQ(seen, expected == mailboxes_.end() ? std::set<LeafIndex>()
                                                 : expected->second);
    const auto pending = pending_.find(member);
    EXPECT_EQ(VALUE_OF(store.PendingCount(member)),
              pending == pending_.end() ? 0 : pending->second);
  }

  static constexpr uint64_t kMailboxMax = 10;
  std::mt19937 random_;
  const std::vector<MemberId> members_ = {Member("a"), Member("a-b"),
                                          Member("ab"), Member("b")};
  uint64_t size_ = 0;
  uint64_t publications_ = 0;
  std::vector<Known> envelopes_;
  std::map<MemberId, uint64_t> pending_;
  std::map<MemberId, std::set<LeafIndex>> mailboxes_;
  std::map<std::pair<MemberId, std::string>, LeafIndex> notes_;
  std::map<std::string, std::pair<std::string, LeafIndex>> slots_;
};

TEST_P(StoreContract, DoesWhatTheModelDoesWhateverIsAsked) {
  const uint32_t seed = RandomBelow(1u << 30);
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  Model model(seed);
  std::mt19937 random(seed + 1);
  absl::Time now = kNow;
  for (int round = 0; round < 60; ++round) {
    std::vector<Model::Asked> asked;
    const size_t count = 1 + random() % 12;
    for (size_t i = 0; i < count; ++i) asked.push_back(model.Next());
    std::vector<Op> ops;
    for (const Model::Asked& one : asked) ops.push_back(one.op);
    now += absl::Seconds(static_cast<int>(random() % 5) - 2);
    const auto results = VALUE_OF(store().Commit(ops, now));
    ASSERT_EQ(results.size(), asked.size());
    for (size_t i = 0; i < asked.size(); ++i) {
      ASSERT_EQ(results[i].outcome, asked[i].outcome) << i;
      ASSERT_EQ(results[i].leaf.has_value(), asked[i].leaf.has_value());
      if (asked[i].leaf) {
        ASSERT_EQ(results[i].leaf->index, *asked[i].leaf);
      }
    }
    if (random() % 10 == 0) Reopen();
    if (round % 10 == 9) model.Check(store());
  }
}

}  // namespace
}  // namespace amparo::broker

#include "crypto/tlog_witness.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "crypto/add_checkpoint.h"
#include "gtest/gtest.h"
#include "tests/support/signed_tree.h"
#include "tests/support/vectors.h"

namespace amparo {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// A witness as whoever serves one has to be: it remembers, then cosigns.
class Witness {
 public:
  explicit Witness(const NoteVerifier& log) {
    memory_.emplace(log.name(), VALUE_OF(RememberLog({log}, "")));
  }
  WitnessVerdict Ask(absl::string_view body) {
    WitnessVerdict verdict = JudgeAddCheckpoint(memory_, body);
    if (verdict.status == 200) {
      WitnessedLog& log = memory_.at(verdict.origin);
      log.note = verdict.note;
      log.checkpoint = verdict.checkpoint;
    }
    return verdict;
  }
  void Trust(const NoteVerifier& key) {
    memory_.at(key.name()).keys.push_back(key);
  }
  const WitnessedLog& log(const std::string& origin) const {
    return memory_.at(origin);
  }

 private:
  WitnessMemory memory_;
};

class TlogWitnessTest : public testing::Test {
 protected:
  unsigned Ask(uint64_t old_size, uint64_t size) {
    return witness_.Ask(log_.Body(old_size, size)).status;
  }
  // Brings the witness to `size`.
  void At(uint64_t size) { ASSERT_EQ(Ask(0, size), 200u); }
  TreeSize size() const { return witness_.log("pt-exemplo").checkpoint.size; }

  const SignedTree log_{"pt-exemplo"};
  const SignedTree fork_{log_, 1};
  Witness witness_{log_.key()};
};

TEST_F(TlogWitnessTest, FollowsALogThatGrows) {
  uint64_t before = 0;
  for (const uint64_t size : {1, 2, 3, 7, 8, 8, 31, 64, 100}) {
    EXPECT_EQ(Ask(before, size), 200u) << size;
    EXPECT_EQ(this->size(), TreeSize(size));
    before = size;
  }
}

TEST_F(TlogWitnessTest, ASizeThatItDoesNotHaveIsAConflictThatSaysWhichItHas) {
  At(7);
  for (const uint64_t old_size : {0, 1, 6, 8}) {
    const WitnessVerdict verdict = witness_.Ask(log_.Body(old_size, 9));
    EXPECT_EQ(verdict.status, 409u) << old_size;
    EXPECT_TRUE(verdict.SaysSize());
    EXPECT_EQ(verdict.says, "7\n");
    EXPECT_EQ(verdict.fault, LogFault::kNone);
  }
  EXPECT_EQ(size(), TreeSize(7));
}

TEST_F(TlogWitnessTest, NeverGoesBack) {
  At(7);
  EXPECT_EQ(Ask(5, 5), 409u);
  EXPECT_EQ(Ask(0, 5), 409u);
  EXPECT_EQ(Ask(7, 5), 400u);  // larger than the checkpoint's
  EXPECT_EQ(size(), TreeSize(7));
}

// The proof is the other history's own: what it shows is evidence, but where
// the size is a power of two, whose root no proof contains.
TEST_F(TlogWitnessTest, RefusesAForkAndKnowsWhenItIsProven) {
  for (const uint64_t known : {5, 8}) {
    Witness witness(log_.key());
    ASSERT_EQ(witness.Ask(log_.Body(0, known)).status, 200u);
    WitnessVerdict verdict = witness.Ask(fork_.Body(known, known));
    EXPECT_EQ(verdict.status, 409u);
    EXPECT_EQ(verdict.fault, LogFault::kFork);
    EXPECT_EQ(verdict.note.substr(0, verdict.note.find("\u2014")),
              fork_.Note(known).substr(0, fork_.Note(known).find("\u2014")));
    verdict = witness.Ask(fork_.Body(known, 11));
    EXPECT_EQ(verdict.status, 422u);
    EXPECT_EQ(verdict.fault,
              known == 8 ? LogFault::kNone : LogFault::kInconsistent);
    EXPECT_EQ(witness.log("pt-exemplo").checkpoint, log_.At(known));
    // It goes on with the log that it knows.
    EXPECT_EQ(witness.Ask(log_.Body(known, 11)).status, 200u);
  }
}

// Anybody can send a true checkpoint with a false proof: no evidence.
TEST_F(TlogWitnessTest, AFalseProofAccusesNobody) {
  At(5);
  const AddCheckpoint good = log_.Request(5, 11);
  for (size_t i = 0; i < good.proof.size(); ++i) {
    AddCheckpoint changed = good, shorter = good, doubled = good;
    changed.proof[i] = Sha256("another");
    shorter.proof.erase(shorter.proof.begin() + static_cast<long>(i));
    doubled.proof.insert(doubled.proof.begin() + static_cast<long>(i),
                         good.proof[i]);
    for (const AddCheckpoint& bad : {changed, shorter, doubled}) {
      const WitnessVerdict verdict = witness_.Ask(FormatAddCheckpoint(bad));
      EXPECT_EQ(verdict.status, 422u);
      EXPECT_EQ(verdict.fault, LogFault::kNone);
    }
  }
  AddCheckpoint same = log_.Request(5, 5);
  same.proof = {Digest()};
  EXPECT_EQ(witness_.Ask(FormatAddCheckpoint(same)).status, 422u);
  EXPECT_EQ(size(), TreeSize(5));
}

TEST_F(TlogWitnessTest, TheFirstCheckpointNeedsNoProofAndMayHaveNone) {
  AddCheckpoint first = log_.Request(0, 5);
  first.proof = {Digest()};
  EXPECT_EQ(witness_.Ask(FormatAddCheckpoint(first)).status, 422u);
  EXPECT_EQ(Ask(3, 5), 409u);
  EXPECT_EQ(Ask(0, 5), 200u);
}

TEST_F(TlogWitnessTest, TheEmptyTreeHasOneRoot) {
  EXPECT_EQ(Ask(0, 0), 200u);
  const std::string other = VALUE_OF(SignCheckpoint(
      {"pt-exemplo", TreeSize(0), Sha256("another"), {}}, log_.signing_key()));
  const WitnessVerdict verdict = witness_.Ask(absl::StrCat("old 0\n\n", other));
  EXPECT_EQ(verdict.status, 409u);
  EXPECT_EQ(verdict.says, "0\n");
  EXPECT_EQ(verdict.fault, LogFault::kFork);
}

TEST_F(TlogWitnessTest, KnowsALogByItsOriginAndItsKey) {
  At(5);
  const SignedTree stranger("pt-outro"), thief("pt-exemplo");
  EXPECT_EQ(witness_.Ask(stranger.Body(0, 5)).status, 404u);
  const WitnessVerdict forged = witness_.Ask(thief.Body(5, 7));
  EXPECT_EQ(forged.status, 403u);
  EXPECT_EQ(forged.origin, "");
  // A good signature under the name of another log says nothing of this one.
  Note note{FormatCheckpoint(thief.At(7)), {}};
  ASSERT_OK(SignNote(note, "pt-exemplo", thief.signing_key()));
  ASSERT_OK(SignNote(note, "pt-outro", stranger.signing_key()));
  EXPECT_EQ(witness_.Ask(absl::StrCat("old 5\n\n", FormatNote(note))).status,
            403u);
  // A signature that cannot be read is none.
  EXPECT_EQ(witness_
                .Ask(absl::StrCat("old 5\n\n", FormatCheckpoint(log_.At(7)),
                                  "\nnot a signature\n"))
                .status,
            403u);
  EXPECT_EQ(witness_.Ask("old 5\n").status, 400u);
  EXPECT_EQ(witness_.Ask("").status, 400u);
}

// Signatures of others, such as the log's own time, are no matter.
TEST_F(TlogWitnessTest, IgnoresSignaturesOfKeysThatItDoesNotKnow) {
  AddCheckpoint request = log_.Request(0, 5);
  request.note = log_.NoteAt(5, absl::FromUnixSeconds(1'800'000'000));
  EXPECT_EQ(witness_.Ask(FormatAddCheckpoint(request)).status, 200u);
}

TEST_F(TlogWitnessTest, FollowsALogThatChangesItsKey) {
  At(5);
  const SignedTree successor("pt-exemplo");  // same entries, another key
  EXPECT_EQ(witness_.Ask(successor.Body(5, 7)).status, 403u);
  witness_.Trust(successor.key());
  EXPECT_EQ(witness_.Ask(successor.Body(5, 7)).status, 200u);
  EXPECT_EQ(Ask(7, 9), 200u);
}

TEST_F(TlogWitnessTest, ALogThatShrankByItsOwnTimesIsEvidence) {
  const absl::Time noon = absl::FromUnixSeconds(1'800'000'000);
  AddCheckpoint request = log_.Request(0, 7);
  request.note = log_.NoteAt(7, noon);
  ASSERT_EQ(witness_.Ask(FormatAddCheckpoint(request)).status, 200u);
  for (const auto& [later, fault] :
       {std::pair{absl::Seconds(-5), LogFault::kNone},
        {absl::Seconds(30), LogFault::kNone},  // overtaken on its way
        {absl::Hours(1), LogFault::kRollback}}) {
    request = log_.Request(0, 5);
    request.note = log_.NoteAt(5, noon + later);
    const WitnessVerdict verdict = witness_.Ask(FormatAddCheckpoint(request));
    EXPECT_EQ(verdict.status, 409u);
    EXPECT_EQ(verdict.fault, fault);
  }
}

TEST_F(TlogWitnessTest, RemembersWhatTheLogSigned) {
  const WitnessedLog log = VALUE_OF(RememberLog({log_.key()}, log_.Note(7)));
  EXPECT_EQ(log.checkpoint, log_.At(7));
  EXPECT_EQ(VALUE_OF(RememberLog({log_.key()}, "")).checkpoint.root,
            EmptyRoot());
  EXPECT_THAT(RememberLog({log_.key()}, SignedTree("pt-exemplo").Note(7)),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(RememberLog({log_.key()}, "nothing"),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(RememberLog({}, ""), StatusIs(kInvalid));
  EXPECT_THAT(RememberLog({log_.key(), SignedTree("pt-outro").key()}, ""),
              StatusIs(kInvalid));
  const auto cosigner =
      VALUE_OF(NoteVerifier::Create("pt-exemplo", NoteKeyType::kCosignatureV1,
                                    log_.signing_key().verify_key()));
  EXPECT_THAT(RememberLog({cosigner}, ""), StatusIs(kInvalid));
}

// The published sequence, in order, against one witness that keeps its state.
TEST(TlogWitnessVectors, AnswersThePublishedSequence) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("witness/add-checkpoint-sequence.json");
  const std::string name = file["witness_name"];
  const SigningKey key = SigningKey::Generate();
  const NoteVerifier witness_key = VALUE_OF(NoteVerifier::Create(
      name, NoteKeyType::kCosignatureV1, key.verify_key()));
  Witness witness(
      VALUE_OF(NoteVerifier::Parse(file["log_vkey"].get<std::string>())));
  size_t played = 0;
  for (const Json& step : file["steps"]) {
    const std::string body = step["request_body"];
    const WitnessVerdict verdict = witness.Ask(body);
    EXPECT_EQ(verdict.status, step["expect_status"].get<unsigned>()) << played;
    std::string says = verdict.says;
    if (verdict.status == 200) {
      const Note note = VALUE_OF(ParseNote(verdict.note));
      says = FormatNoteSignature(VALUE_OF(
          CosignCheckpoint(note.text, name, key, absl::FromUnixSeconds(1))));
      // What a client does with the answer.
      const Note back =
          VALUE_OF(ParseNote(absl::StrCat(note.text, "\n", says)));
      EXPECT_OK(VerifyCosignature(back, witness_key));
    }
    EXPECT_TRUE(
        absl::StrContains(says, step["expect_contains"].get<std::string>()))
        << played << ": " << says;
    if (!step["expect_body"].is_null()) {
      EXPECT_EQ(says, step["expect_body"].get<std::string>());
    }
    ++played;
  }
  EXPECT_EQ(played, 4u);
}

}  // namespace
}  // namespace amparo

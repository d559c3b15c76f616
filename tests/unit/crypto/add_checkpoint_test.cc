#include "crypto/add_checkpoint.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "tests/support/signed_tree.h"

namespace amparo {
namespace {

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(AddCheckpoint, IsReadBackAsItWasWritten) {
  const SignedTree log("pt-exemplo");
  for (const auto& [old_size, size] :
       {std::pair{0, 1}, {1, 7}, {6, 7}, {7, 7}, {64, 200}}) {
    const AddCheckpoint request = log.Request(old_size, size);
    EXPECT_EQ(VALUE_OF(ParseAddCheckpoint(FormatAddCheckpoint(request))),
              request);
  }
}

TEST(AddCheckpoint, TheBodyIsTheOneOfTheSpecification) {
  const SignedTree log("pt-exemplo");
  AddCheckpoint request = log.Request(6, 7);
  request.proof = {Digest(), Digest()};
  const std::string zeros = std::string(43, 'A') + "=\n";
  EXPECT_EQ(FormatAddCheckpoint(request),
            absl::StrCat("old 6\n", zeros, zeros, "\n", log.Note(7)));
}

TEST(AddCheckpoint, RefusesWhatIsSpeltOtherwise) {
  const SignedTree log("pt-exemplo");
  const std::string note = log.Note(7), hash = std::string(43, 'A') + "=\n";
  for (const char* head :
       {"", "\n", "new 6\n\n", "old\n\n", "old 6\n", "old  6\n\n", "old 06\n\n",
        "old +6\n\n", "old -1\n\n", "old 6 \n\n", "old 6\r\n\r\n", "Old 6\n\n",
        "old 18446744073709551616\n\n", " old 6\n\n", "old 6\n\n\n",
        "old 6\nAAAA\n\n", "old 6\n!\n\n"})
    EXPECT_THAT(ParseAddCheckpoint(absl::StrCat(head, note)),
                StatusIs(kInvalid))
        << head;
  const std::string good = absl::StrCat("old 6\n", hash, "\n", note);
  EXPECT_OK(ParseAddCheckpoint(good));
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_THAT(ParseAddCheckpoint(good.substr(0, size)), StatusIs(kInvalid));
  // Another alphabet, no padding, bits that say nothing.
  for (const char* bad : {"_", "-", "B="})
    EXPECT_THAT(ParseAddCheckpoint(absl::StrReplaceAll(
                    good, {{"A=\n", absl::StrCat(bad, "\n")}})),
                StatusIs(kInvalid))
        << bad;
  // A signed note that is no checkpoint.
  Note other{"hello\n", {}};
  ASSERT_OK(SignNote(other, "pt-exemplo", log.signing_key()));
  EXPECT_THAT(ParseAddCheckpoint(absl::StrCat("old 0\n\n", FormatNote(other))),
              StatusIs(kInvalid));
}

TEST(AddCheckpoint, KeepsToItsLimits) {
  const SignedTree log("pt-exemplo");
  AddCheckpoint request = log.Request(6, 7);
  request.proof.assign(kWitnessProofHashesMax, Digest());
  EXPECT_OK(ParseAddCheckpoint(FormatAddCheckpoint(request)));
  request.proof.emplace_back();
  EXPECT_THAT(ParseAddCheckpoint(FormatAddCheckpoint(request)),
              StatusIs(kInvalid));
  request.proof.clear();
  const std::string line = request.note.substr(request.note.find("\u2014 "));
  for (size_t i = 1; i < kAddCheckpointSignaturesMax; ++i) request.note += line;
  EXPECT_OK(ParseAddCheckpoint(FormatAddCheckpoint(request)));
  request.note += line;
  EXPECT_THAT(ParseAddCheckpoint(FormatAddCheckpoint(request)),
              StatusIs(kInvalid));
  Checkpoint checkpoint = log.At(7);
  checkpoint.extensions = {std::string(kAddCheckpointBytesMax, 'x')};
  request.note = VALUE_OF(SignCheckpoint(checkpoint, log.signing_key()));
  EXPECT_THAT(ParseAddCheckpoint(FormatAddCheckpoint(request)),
              StatusIs(kInvalid));
}

TEST(AddCheckpoint, ASizeHasOneSpelling) {
  EXPECT_EQ(FormatWitnessSize(TreeSize(20852163)), "20852163\n");
  EXPECT_EQ(VALUE_OF(ParseWitnessSize("0\n")), TreeSize(0));
  EXPECT_EQ(VALUE_OF(ParseWitnessSize("20852163\n")), TreeSize(20852163));
  for (const char* bad : {"", "\n", "7", "07\n", "7\n\n", " 7\n", "-7\n",
                          "7 \n", "0x7\n", "18446744073709551616\n"})
    EXPECT_THAT(ParseWitnessSize(bad), StatusIs(kInvalid)) << bad;
}

}  // namespace
}  // namespace amparo

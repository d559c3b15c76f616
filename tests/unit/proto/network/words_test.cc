#include "proto/network/words.h"

#include <set>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/unit/proto/samples.h"

namespace amparo {
namespace {

std::vector<std::string> Words(const Digest& digest) {
  return absl::StrSplit(WordsOf(digest), ' ');
}

TEST(Words, AreTwoThousandAndFortyEightOfFourLetters) {
  const std::set<std::string> different(WordList().begin(), WordList().end());
  EXPECT_EQ(WordList().size(), 2048u);
  EXPECT_EQ(different.size(), 2048u);
  for (const std::string& word : WordList()) {
    EXPECT_EQ(word.size(), 4u);
    EXPECT_NE(word[0], word[2]) << word;
    EXPECT_EQ(word.find_first_of("cqvwxyzh"), std::string::npos) << word;
  }
}

// They stand on paper: a list that changes makes every paper wrong.
TEST(Words, NeverChange) {
  EXPECT_EQ(Sha256(absl::StrJoin(WordList(), "\n")).ToString(),
            "sha256:"
            "da983fbb1f52cfb6fc9cad0164b802c211c26e7fd125386b68a634546300a247");
  std::array<uint8_t, 32> counting;
  for (size_t i = 0; i < 32; ++i) counting[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(WordsOf(Digest(counting)),
            "bada besi lisi besi jare base dilo dipa");
}

TEST(Words, OfADigestAreItsFirst88Bits) {
  std::array<uint8_t, 32> bytes{};
  bytes[0] = 0x00;
  bytes[1] = 0x20;  // the first word's last bit
  EXPECT_EQ(Words(Digest(bytes))[0], WordList()[1]);
  std::array<uint8_t, 32> last{};
  last[10] = 0x01;  // the last of 88 bits
  EXPECT_EQ(Words(Digest(last))[7], WordList()[1]);
  std::array<uint8_t, 32> beyond{};
  beyond[11] = 0xff;
  EXPECT_EQ(WordsOf(Digest(beyond)), WordsOf(Digest()));
  EXPECT_EQ(Words(Fill(0xff)), std::vector<std::string>(8, WordList().back()));
}

TEST(Words, OneBitChangesOneWord) {
  const std::vector<std::string> base = Words(Fill(0x5a));
  ASSERT_EQ(base.size(), 8u);
  for (size_t bit = 0; bit < 88; ++bit) {
    std::array<uint8_t, 32> bytes = Fill(0x5a).array();
    bytes[bit / 8] ^= static_cast<uint8_t>(0x80 >> (bit % 8));
    const std::vector<std::string> changed = Words(Digest(bytes));
    size_t differing = 0;
    for (size_t i = 0; i < 8; ++i) differing += changed[i] != base[i];
    EXPECT_EQ(differing, 1u) << "bit " << bit;
    EXPECT_NE(changed[bit / 11], base[bit / 11]) << "bit " << bit;
  }
}

TEST(Words, OfKeysDependOnBothAndTheirOrder) {
  const VerifyKey a = SigningKey::Generate().verify_key();
  const VerifyKey b = SigningKey::Generate().verify_key();
  EXPECT_EQ(KeyWords(a, b), KeyWords(a, b));
  EXPECT_NE(KeyWords(a, b), KeyWords(b, a));
  EXPECT_NE(KeyWords(a, b), KeyWords(a, a));
  EXPECT_EQ(RequestWords(a, b), KeyWords(a, b));
  EXPECT_EQ(NetworkWords(Fill(3)), WordsOf(Fill(3)));
}

}  // namespace
}  // namespace amparo

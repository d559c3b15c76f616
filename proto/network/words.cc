#include "proto/network/words.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace amparo {
namespace {

constexpr char kWordsLabel[] = "amparo/v1/words";
constexpr int kWordBits = 11;
constexpr size_t kWordCount = 1 << kWordBits;
constexpr int kWords = 8;

// Left out, because people read these words aloud in an office that deals with
// violence: the words for killing, hitting and fear, and coarse ones.
constexpr absl::string_view kUnfit[] = {
    "bala", "bate", "bite", "bosa", "dano", "date", "dope", "feto", "japa",
    "japo", "jode", "jodi", "jodo", "jota", "joto", "kapo", "mata", "mate",
    "mato", "medo", "mofo", "moro", "nabo", "nipo", "nude", "pila", "pisi",
    "pito", "rabo", "rapa", "rape", "sado", "sapa", "sida", "tapa", "teso"};

// Two syllables of a consonant and a vowel each. The rule: letters that sound
// apart in Portuguese, Spanish, Italian, French and English (no c q v w x y z;
// g only where it is hard); different consonants, which leaves out nursery
// words; no first syllable that coarse words share (fo ko ku pe pu); no final
// u, which is heard as o. The first 2048 of them, in the order made.
std::vector<std::string> MakeList() {
  constexpr absl::string_view kFirst = "bdfgjklmnprst";
  constexpr absl::string_view kSecond = "bdflmnprst";
  constexpr absl::string_view kCoarse[] = {"fo", "ko", "ku", "pe", "pu"};
  const auto has = [](const auto& list, absl::string_view text) {
    return std::find(std::begin(list), std::end(list), text) != std::end(list);
  };
  std::vector<std::string> list;
  for (const char c1 : kFirst)
    for (const char v1 : absl::string_view("aeiou"))
      for (const char c2 : kSecond)
        for (const char v2 : absl::string_view("aeio")) {
          const std::string word{c1, v1, c2, v2};
          const bool soft_g = c1 == 'g' && (v1 == 'e' || v1 == 'i');
          if (c1 == c2 || soft_g || has(kCoarse, word.substr(0, 2)) ||
              has(kUnfit, word))
            continue;
          if (list.size() < kWordCount) list.push_back(word);
        }
  return list;
}

Digest WordsDigest(const VerifyKey& first, const VerifyKey& second) {
  return LabelledHash(kWordsLabel)
      .Fixed(first.bytes())
      .Fixed(second.bytes())
      .Finish();
}

}  // namespace

const std::vector<std::string>& WordList() {
  static const std::vector<std::string> list = MakeList();
  return list;
}

std::string WordsOf(const Digest& digest) {
  std::string words;
  uint32_t buffer = 0;
  int held = 0;
  int made = 0;
  for (const uint8_t byte : digest.bytes()) {
    buffer = (buffer << 8) | byte;
    held += 8;
    if (held < kWordBits) continue;
    held -= kWordBits;
    absl::StrAppend(&words, words.empty() ? "" : " ",
                    WordList()[(buffer >> held) % kWordCount]);
    if (++made == kWords) break;
  }
  return words;
}

std::string NetworkWords(const Digest& network_id) {
  return WordsOf(network_id);
}

std::string KeyWords(const VerifyKey& identity, const VerifyKey& signing) {
  return WordsOf(WordsDigest(identity, signing));
}

std::string RequestWords(const VerifyKey& identity, const VerifyKey& witness) {
  return WordsOf(WordsDigest(identity, witness));
}

std::string GovernanceKeyWords(const VerifyKey& key) {
  return WordsOf(key.Thumbprint());
}

}  // namespace amparo

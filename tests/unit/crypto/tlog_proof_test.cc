#include "crypto/tlog_proof.h"

#include "crypto/checkpoint.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

TlogProof Example() {
  return {LeafIndex(7),
          {Sha256("a"), Sha256("b")},
          VALUE_OF(SignCheckpoint({"log.example", TreeSize(9), Sha256("r"), {}},
                                  SigningKey::Generate())),
          {}};
}

TEST(TlogProof, ReadsWhatItWrites) {
  TlogProof proof = Example();
  EXPECT_EQ(VALUE_OF(ParseTlogProof(FormatTlogProof(proof))), proof);
  proof.extra = Bytes{1, 2, 3};
  proof.hashes.clear();
  EXPECT_EQ(VALUE_OF(ParseTlogProof(FormatTlogProof(proof))), proof);
  EXPECT_EQ(FormatTlogProof(proof).substr(0, 43),
            "c2sp.org/tlog-proof@v1\nextra AQID\nindex 7\n\n");
}

TEST(TlogProof, RefusesEveryOtherSpelling) {
  const std::string text = FormatTlogProof(Example());
  const auto with = [&](const char* from, const char* to) {
    std::string changed = text;
    return changed.replace(changed.find(from), std::string(from).size(), to);
  };
  for (const std::string& bad :
       {std::string(), text + "x", with("index 7", "index 07"),
        with("index 7", "index +7"), with("index 7", "index -7"),
        with("index 7", "extra \nindex 7"), with("@v1", "@v2"),
        with("index 7\n", ""), with("=\n", "\n"), with("\n\n", "\n")})
    EXPECT_FALSE(ParseTlogProof(bad).ok()) << bad;
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(ParseTlogProof(text.substr(0, size)).ok()) << size;
}

}  // namespace
}  // namespace amparo

#include "proto/content/case_opening.h"

#include "crypto/random.h"
#include "proto/envelope/limits.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

CaseOpening Example() {
  CaseOpening opening{.net = Sha256("net"),
                      .case_id = CaseId::New(),
                      .member = VALUE_OF(MemberId::Parse("ong"))};
  opening.grants = {"a.b.c~d~"};
  opening.bases = {"e.f.g"};
  opening.anchors = {{LeafIndex(3), RandomBytes(kSaltBytes), "a.b.c"}};
  OpenedEnvelope envelope{.leaf = LeafIndex(4),
                          .salt = RandomBytes(kSaltBytes),
                          .manifest = Sha256("manifest"),
                          .document = "h.i.j"};
  opening.envelopes = {envelope};
  envelope.leaf = LeafIndex(7);
  envelope.slots = {{Section::kRisk, true}, {Section::kIdentity}};
  envelope.purpose = "support";
  envelope.first_contact = true;
  envelope.content = OpenedEnvelope::Content{
      RandomBytes(kSaltBytes), {"disclosure"}, {"a.b.c~"}};
  opening.envelopes.push_back(envelope);
  opening.unopened = {LeafIndex(9)};
  return opening;
}

TEST(CaseOpeningText, ReadsWhatItWrites) {
  const std::string text = FormatCaseOpening(Example());
  const CaseOpening read = VALUE_OF(ParseCaseOpening(text));
  EXPECT_EQ(FormatCaseOpening(read), text);
  EXPECT_EQ(read.envelopes[1].slots.size(), 2u);
  EXPECT_FALSE(read.envelopes[0].content.has_value());
  EXPECT_EQ(read.unopened.front(), LeafIndex(9));
}

TEST(CaseOpeningText, OpensNothingBehindItsSize) {
  CaseOpening opening = Example();
  EXPECT_FALSE(
      VALUE_OF(ParseCaseOpening(FormatCaseOpening(opening))).size.has_value());
  opening.size = TreeSize(10);
  EXPECT_EQ(VALUE_OF(ParseCaseOpening(FormatCaseOpening(opening))).size,
            TreeSize(10));
  opening.size = TreeSize(9);
  EXPECT_FALSE(ParseCaseOpening(FormatCaseOpening(opening)).ok());
  opening.unopened.clear();
  opening.size = TreeSize(7);
  EXPECT_FALSE(ParseCaseOpening(FormatCaseOpening(opening)).ok());
}

TEST(CaseOpeningText, HasOneSpelling) {
  const std::string text = FormatCaseOpening(Example());
  for (const std::string& other :
       {text + " ", " " + text, text.substr(0, text.size() - 1),
        std::string("{}"), std::string("[]"), std::string()})
    EXPECT_FALSE(ParseCaseOpening(other).ok());
  for (size_t at = 0; at < text.size(); ++at) {
    std::string cut = text;
    cut.erase(at, 1);
    const auto read = ParseCaseOpening(cut);
    // A shorter text or number is another value, and spelt so.
    if (!read.ok()) continue;
    EXPECT_EQ(FormatCaseOpening(*read), cut) << at;
  }
}

}  // namespace
}  // namespace amparo

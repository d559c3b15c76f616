#include "proto/envelope/access_record.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/clock.h"
#include "gmock/gmock.h"
#include "proto/envelope/access_origin.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

TEST(AccessRecord, DecodesWhatItEncodesAndNothingElse) {
  const AccessRecord record{.seq = 7,
                            .at = TimeFromUnix(1795262400),
                            .nonce = Bytes(16, 1),
                            .officer = "o-x",
                            .affiliation = "ong",
                            .action = "section_open",
                            .case_pseudonym = "c-x",
                            .sections = {"risk", "health"},
                            .grant_or_basis = "g-x",
                            .justification = "",
                            .outcome = "ok"};
  const Bytes bytes = EncodeAccessRecord(record);
  EXPECT_EQ(EncodeAccessRecord(VALUE_OF(DecodeAccessRecord(bytes))), bytes);
  const std::string text = ToText(bytes);
  EXPECT_THAT(text, testing::EndsWith(R"("outcome":"ok"})"));
  // Keys that came later say something, or are not there.
  AccessRecord later = record;
  later.from = "ong";
  later.supersedes = "g-old";
  later.review = "justified";
  const Bytes more = EncodeAccessRecord(later);
  EXPECT_EQ(EncodeAccessRecord(VALUE_OF(DecodeAccessRecord(more))), more);
  EXPECT_EQ(ToText(more).substr(0, text.size() - 1),
            text.substr(0, text.size() - 1));
  for (const char* key : {"from", "supersedes", "review"})
    for (const char* value : {"\"\"", "1", "null"})
      EXPECT_FALSE(DecodeAccessRecord(
                       AsBytes(absl::StrCat(text.substr(0, text.size() - 1),
                                            ",\"", key, "\":", value, "}")))
                       .ok())
          << key << value;
  for (const std::string& bad :
       {std::string(), std::string("[]"), text.substr(1), text + " x",
        "{\"more\":1," + text.substr(1),
        absl::StrReplaceAll(text, {{"\"seq\":7", "\"seq\":-7"}}),
        absl::StrReplaceAll(text, {{"\"sections\":[", "\"sections\":[1,"}}),
        absl::StrReplaceAll(text, {{"AQEB", ""}}),
        absl::StrReplaceAll(
            text, {{"\"risk\"", "\"" + std::string(70'000, 'x') + "\""}})})
    EXPECT_FALSE(DecodeAccessRecord(AsBytes(bad)).ok()) << bad;
}

TEST(AccessOrigin, NamesNetworkAndMember) {
  const MemberId member = VALUE_OF(MemberId::Parse("ong"));
  EXPECT_EQ(FormatAccessOrigin("test.example/x", member),
            "test.example/x/access/ong");
  const AccessOrigin origin =
      VALUE_OF(ParseAccessOrigin("test.example/x/access/ong"));
  EXPECT_EQ(origin.network, "test.example/x");
  EXPECT_EQ(origin.member, member);
}

TEST(AccessOrigin, IsNoOther) {
  for (const char* other :
       {"", "ong", "test.example/ong", "test.example/witness/ong",
        "test.example/access/", "test.example/access/Ong",
        "test.example/access/ong/", "test.example/access/ong/x", "access/ong"})
    EXPECT_FALSE(ParseAccessOrigin(other).ok()) << other;
}

}  // namespace
}  // namespace amparo

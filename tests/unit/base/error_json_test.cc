#include "base/error_json.h"

#include "base/error.h"
#include "base/json.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

absl::Status Sample() {
  return MakeError(absl::StatusCode::kInvalidArgument, "birth_date is no date",
                   {.code = "invalid_form",
                    .field = "/sections/identity/birth_date",
                    .expected = "YYYY-MM-DD",
                    .hint = "nothing was sent"});
}

TEST(ErrorJson, HasEveryKeyOfTheSchemaAndTheExitOfItsCode) {
  EXPECT_EQ(ErrorJson(Sample()),
            R"({"schema":"error/1","code":"invalid_form",)"
            R"("message":"birth_date is no date",)"
            R"("field":"/sections/identity/birth_date",)"
            R"("expected":"YYYY-MM-DD","hint":"nothing was sent",)"
            R"("retryable":false,"exit":1})");
}

TEST(ErrorJson, SaysNullWhereADetailIsMissing) {
  const Json error =
      VALUE_OF(ParseJson(ErrorJson(absl::UnavailableError("no answer"))));
  EXPECT_TRUE(error["field"].is_null());
  EXPECT_EQ(error["code"], "broker_unreachable");
  EXPECT_EQ(error["exit"], 5);
}

TEST(ErrorJson, IsJsonWhateverBytesAMessageHolds) {
  EXPECT_OK(ParseJson(ErrorJson(absl::NotFoundError("no file \xff\x01\"x"))));
}

TEST(ErrorText, NamesTheProgramAndWhatToDo) {
  EXPECT_EQ(ErrorText("amparo", Sample()),
            "amparo: birth_date is no date\n"
            "  at: /sections/identity/birth_date\n"
            "  expected: YYYY-MM-DD\n"
            "  nothing was sent\n");
}

TEST(ExitOf, IsZeroOnlyForSuccess) {
  EXPECT_EQ(ExitOf(absl::OkStatus()), 0);
  EXPECT_EQ(ExitOf(absl::InternalError("x")), 1);
}

}  // namespace
}  // namespace amparo

#include "base/error.h"

#include "base/status.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

TEST(ErrorDetail, TravelsWithItsStatusAndSurvivesAnnotation) {
  const ErrorDetail detail{"invalid_form", "/sections/incident/date", "YYYY-MM-DD",
                           "correct the file", true};
  const absl::Status status =
      MakeError(absl::StatusCode::kInvalidArgument, "not a date", detail);
  EXPECT_EQ(DetailOf(status), detail);
  EXPECT_EQ(DetailOf(Annotate(status, "form")), detail);
  EXPECT_EQ(Annotate(status, "form").message(), "form: not a date");
}

TEST(ErrorDetail, IsAbsentFromAPlainStatus) {
  EXPECT_EQ(DetailOf(absl::NotFoundError("x")), std::nullopt);
  EXPECT_EQ(ErrorCodeOf(absl::NotFoundError("x")), "not_found");
}

TEST(ErrorCodeOf, ARefusalThatNamesNoRuleIsAVerificationThatFailed) {
  EXPECT_EQ(ErrorCodeOf(absl::PermissionDeniedError("x")), "verification_failed");
  EXPECT_EQ(ExitOf(ErrorCodeOf(absl::PermissionDeniedError("x"))), 6);
}

TEST(ExitOf, FollowsTheTableAndNeverCallsAnErrorDone) {
  EXPECT_EQ(ExitOf("invalid_form"), 1);
  EXPECT_EQ(ExitOf("usage"), 2);
  EXPECT_EQ(ExitOf("not_found"), 3);
  EXPECT_EQ(ExitOf("no_consent"), 4);
  EXPECT_EQ(ExitOf("agent_unreachable"), 5);
  EXPECT_EQ(ExitOf("tampered"), 6);
  EXPECT_EQ(ExitOf(""), 1);
  EXPECT_EQ(ExitOf("something new"), 1);
}

}  // namespace
}  // namespace amparo

#include "base/error_json.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/json.h"

namespace amparo {
namespace {

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

}  // namespace

std::string ErrorJson(const absl::Status& status) {
  const ErrorDetail detail = DetailOf(status).value_or(ErrorDetail{});
  const std::string code = ErrorCodeOf(status);
  const Json object = {{"schema", "error/1"},
                       {"code", code},
                       {"message", std::string(status.message())},
                       {"field", TextOrNull(detail.field)},
                       {"expected", TextOrNull(detail.expected)},
                       {"hint", TextOrNull(detail.hint)},
                       {"retryable", detail.retryable},
                       {"exit", ExitOf(code)}};
  // A path in a message need not be UTF-8.
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string ErrorText(const std::string& program, const absl::Status& status) {
  const ErrorDetail detail = DetailOf(status).value_or(ErrorDetail{});
  std::string text = absl::StrCat(program, ": ", status.message(), "\n");
  if (!detail.field.empty())
    absl::StrAppend(&text, "  at: ", detail.field, "\n");
  if (!detail.expected.empty())
    absl::StrAppend(&text, "  expected: ", detail.expected, "\n");
  if (!detail.hint.empty()) absl::StrAppend(&text, "  ", detail.hint, "\n");
  return text;
}

int ExitOf(const absl::Status& status) {
  return status.ok() ? 0 : ExitOf(ErrorCodeOf(status));
}

}  // namespace amparo

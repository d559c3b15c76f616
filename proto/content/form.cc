#include "proto/content/form.h"

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "proto/content/referral_form.h"
#include "proto/content/strict_reader.h"

namespace amparo {

absl::StatusOr<Json> ParseForm(absl::string_view text,
                               absl::string_view schema) {
  if (text.size() > kFormBytesMax)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the form is too large",
                     {.code = "too_large", .expected = "at most 1 MiB"});
  absl::StatusOr<Json> json = ParseJson(text);
  // The parser's message says why ("a key stands twice"), never what.
  if (!json.ok())
    return MakeError(
        absl::StatusCode::kInvalidArgument, json.status().message(),
        {.code = kInvalidForm,
         .expected = "JSON, UTF-8, no key twice, at most 16 levels"});
  const auto name = JsonString(*json, "schema");
  if (!name.ok() || *name != schema)
    return FaultAt(kInvalidForm, "/schema", absl::StrCat("\"", schema, "\""));
  return json;
}

}  // namespace amparo

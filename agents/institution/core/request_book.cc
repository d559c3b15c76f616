#include "agents/institution/core/request_book.h"

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr char kPrefix[] = "request/";

}  // namespace

RepeatableRequest::RepeatableRequest(const Officer& officer, const char* verb,
                                     absl::string_view request_id,
                                     const Digest& content)
    : content_(content) {
  if (request_id.empty()) return;
  // A caller chooses the id: hashed, it can neither name another row nor say
  // anything in a key.
  const Digest name = LabelledHash("amparo/v1/request")
                          .Fixed(officer.id.bytes())
                          .Variable(absl::string_view(verb))
                          .Variable(request_id)
                          .Finish();
  key_ = absl::StrCat(kPrefix, ToHex(name.bytes()));
}

absl::StatusOr<std::optional<Json>> RepeatableRequest::Earlier(
    const KeyValue& kv) const {
  if (key_.empty()) return std::optional<Json>();
  const auto row = kv.Get(key_);
  if (absl::IsNotFound(row.status())) return std::optional<Json>();
  RETURN_IF_ERROR(row.status());
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(*row)));
  ASSIGN_OR_RETURN(const std::string content, JsonString(json, "content"));
  if (content != content_.ToString())
    return MakeError(absl::StatusCode::kAlreadyExists,
                     "something else was asked under this request id",
                     {.code = "conflict", .field = "request_id"});
  return std::optional<Json>(json.at("answer"));
}

void RepeatableRequest::Keep(const Json& answer, Batch& rows) const {
  if (key_.empty()) return;
  Json json;
  json["content"] = content_.ToString();
  json["answer"] = answer;
  rows.Put(key_, AsBytes(DumpJson(json)));
}

}  // namespace amparo::agent

#include "proto/content/strict_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/clock.h"
#include "base/error.h"

namespace amparo {
namespace {

constexpr char kExpectedText[] = "text without control characters";

bool IsTextValue(const Json& json, size_t size_max = kTextBytesMax) {
  return json.is_string() &&
         IsPlainText(json.get_ref<const std::string&>(), size_max);
}

}  // namespace

bool IsPlainText(absl::string_view text, size_t size_max) {
  if (text.size() > size_max) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
      return false;
    // U+0080 to U+009F, which terminals obey too.
    if (byte == 0xc2 && i + 1 < text.size() &&
        static_cast<unsigned char>(text[i + 1]) < 0xa0)
      return false;
  }
  return true;
}

std::string OneOf(CodeList codes) {
  return absl::StrCat("one of: ", absl::StrJoin(codes, " "));
}

absl::Status FaultAt(absl::string_view code, absl::string_view pointer,
                     absl::string_view expected) {
  return MakeError(
      absl::StatusCode::kInvalidArgument,
      absl::StrCat(pointer.empty() ? "/" : pointer, ": expected ", expected),
      {.code = std::string(code),
       .field = std::string(pointer),
       .expected = std::string(expected)});
}

StrictReader::StrictReader(const Json& json, absl::string_view code,
                           std::string pointer)
    : StrictReader(json, code, std::move(pointer),
                   std::make_shared<absl::Status>()) {}

StrictReader::StrictReader(const Json& json, absl::string_view code,
                           std::string pointer,
                           std::shared_ptr<absl::Status> fault)
    : json_(json),
      code_(code),
      pointer_(std::move(pointer)),
      fault_(std::move(fault)) {
  if (!json_.is_object()) FailHere("an object");
}

void StrictReader::FailHere(absl::string_view expected) {
  if (fault_->ok()) *fault_ = FaultAt(code_, pointer_, expected);
}

void StrictReader::Fail(absl::string_view key, absl::string_view expected) {
  if (fault_->ok())
    *fault_ = FaultAt(code_, absl::StrCat(pointer_, "/", key), expected);
}

void StrictReader::Keys(std::initializer_list<absl::string_view> keys) {
  if (!json_.is_object()) return;
  for (const auto& [key, unused] : json_.items())
    if (std::find(keys.begin(), keys.end(), key) == keys.end())
      return FailHere(absl::StrCat("no keys but: ", absl::StrJoin(keys, " ")));
}

const Json* StrictReader::Find(absl::string_view key) const {
  if (!json_.is_object()) return nullptr;
  const auto found = json_.find(std::string(key));
  return found == json_.end() ? nullptr : &*found;
}

bool StrictReader::Has(absl::string_view key) const {
  const Json* value = Find(key);
  return value != nullptr && !value->is_null();
}

const Json* StrictReader::Require(absl::string_view key,
                                  absl::string_view expected) {
  const Json* value = Find(key);
  if (value == nullptr) Fail(key, expected);
  return value;
}

const Json* StrictReader::RequireList(absl::string_view key,
                                      absl::string_view expected,
                                      size_t count_max) {
  const Json* value = Require(key, expected);
  if (value == nullptr) return nullptr;
  if (value->is_array() && value->size() <= count_max) return value;
  Fail(key, expected);
  return nullptr;
}

std::string StrictReader::Text(absl::string_view key, size_t size_max) {
  const Json* value = Require(key, kExpectedText);
  if (value == nullptr) return "";
  if (IsTextValue(*value, size_max)) return value->get<std::string>();
  Fail(key, kExpectedText);
  return "";
}

std::optional<std::string> StrictReader::OptionalText(absl::string_view key) {
  if (!Has(key)) return std::nullopt;
  return Text(key);
}

std::string StrictReader::Code(absl::string_view key, CodeList codes) {
  const std::string expected = OneOf(codes);
  const Json* value = Require(key, expected);
  if (value == nullptr) return "";
  if (value->is_string() &&
      IsOneOf(codes, value->get_ref<const std::string&>()))
    return value->get<std::string>();
  Fail(key, expected);
  return "";
}

bool StrictReader::Bool(absl::string_view key) {
  const Json* value = Require(key, "true or false");
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  Fail(key, "true or false");
  return false;
}

int64_t StrictReader::Int(absl::string_view key, int64_t min, int64_t max) {
  const std::string expected = absl::StrCat("a number from ", min, " to ", max);
  const Json* value = Require(key, expected);
  if (value == nullptr) return min;
  if (value->is_number_integer()) {
    const int64_t number = value->get<int64_t>();
    if (number >= min && number <= max) return number;
  }
  Fail(key, expected);
  return min;
}

std::optional<absl::Time> StrictReader::OptionalTime(absl::string_view key) {
  if (!Has(key)) return std::nullopt;
  return Time(key);
}

absl::Time StrictReader::Time(absl::string_view key) {
  const absl::StatusOr<absl::Time> time = ParseUtc(Text(key));
  if (time.ok()) return *time;
  Fail(key, "a time like 2026-11-21T09:30:00Z");
  return absl::UnixEpoch();
}

absl::Time StrictReader::UnixTime(absl::string_view key) {
  constexpr int64_t kYear9999 = 253402300799;
  return TimeFromUnix(Int(key, 0, kYear9999));
}

Digest StrictReader::Hash(absl::string_view key) {
  const absl::StatusOr<Digest> digest = Digest::Parse(Text(key));
  if (digest.ok()) return *digest;
  Fail(key, "sha256: and 64 hex digits");
  return Digest();
}

std::optional<Digest> StrictReader::OptionalHash(absl::string_view key) {
  if (!Has(key)) return std::nullopt;
  return Hash(key);
}

std::optional<MemberId> StrictReader::Member(absl::string_view key) {
  return IdAt<MemberId>(key, "a member id");
}

std::vector<std::string> StrictReader::Texts(absl::string_view key,
                                             size_t count_max) {
  std::vector<std::string> texts;
  const Json* list = RequireList(key, "a list of texts", count_max);
  if (list == nullptr) return texts;
  for (const Json& item : *list) {
    if (!IsTextValue(item)) {
      Fail(absl::StrCat(key, "/", texts.size()), kExpectedText);
      return {};
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::vector<std::string> StrictReader::Codes(absl::string_view key,
                                             CodeList codes) {
  std::vector<std::string> texts = Texts(key);
  for (size_t i = 0; i < texts.size(); ++i)
    if (!IsOneOf(codes, texts[i]))
      Fail(absl::StrCat(key, "/", i), OneOf(codes));
  return texts;
}

StrictReader StrictReader::Object(absl::string_view key) {
  static const Json& none = *new Json(Json::object());
  const Json* value = Require(key, "an object");
  return StrictReader(value == nullptr ? none : *value, code_,
                      absl::StrCat(pointer_, "/", key), fault_);
}

void StrictReader::ForEach(absl::string_view key,
                           const std::function<void(StrictReader&)>& each) {
  const Json* list = RequireList(key, "a list");
  if (list == nullptr) return;
  for (size_t i = 0; i < list->size(); ++i) {
    StrictReader item((*list)[i], code_,
                      absl::StrCat(pointer_, "/", key, "/", i), fault_);
    if (!status().ok()) return;
    each(item);
  }
}

}  // namespace amparo

#include "proto/network/fields.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"

namespace amparo {

Fields::Fields(const Json& object, std::string pointer)
    : object_(object), pointer_(std::move(pointer)) {
  if (!object.is_object()) Fail("", "expected an object");
}

bool Fields::Has(const char* key) {
  asked_.insert(key);
  return object_.is_object() && object_.contains(key);
}

const Json* Fields::Find(const char* key) {
  if (!Has(key)) {
    Fail(key, "missing");
    return nullptr;
  }
  return &*object_.find(key);
}

std::string Fields::Text(const char* key, size_t size_max) {
  const Json* const value = Find(key);
  if (value == nullptr) return "";
  if (!value->is_string()) {
    Fail(key, "expected a text");
    return "";
  }
  std::string text = value->get<std::string>();
  if (text.size() > size_max) {
    Fail(key, absl::StrCat("longer than ", size_max, " bytes"));
    return "";
  }
  return text;
}

int64_t Fields::Int(const char* key, int64_t min, int64_t max) {
  const Json* const value = Find(key);
  if (value == nullptr) return min;
  if (!value->is_number_integer()) {
    Fail(key, "expected an integer");
    return min;
  }
  const auto number = value->get<int64_t>();
  if (number < min || number > max) {
    Fail(key, absl::StrCat("expected ", min, " to ", max));
    return min;
  }
  return number;
}

absl::Time Fields::Time(const char* key) {
  return Parsed<absl::Time>(key, ParseUtc).value_or(absl::UnixEpoch());
}

Digest Fields::Hash(const char* key) {
  return Parsed<Digest>(key, Digest::Parse).value_or(Digest());
}

std::vector<std::string> Fields::Texts(const char* key, size_t count_max,
                                       size_t size_max) {
  std::vector<std::string> texts;
  std::set<std::string> seen;
  for (const Json& item : List(key, count_max)) {
    const bool fits = item.is_string() &&
                      !item.get_ref<const std::string&>().empty() &&
                      item.get_ref<const std::string&>().size() <= size_max;
    if (!fits || !seen.insert(item.get<std::string>()).second) {
      Fail(key, "expected different texts");
      return {};
    }
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

const Json& Fields::Object(const char* key) {
  static const Json empty = Json::object();
  const Json* const value = Find(key);
  if (value == nullptr) return empty;
  if (value->is_object()) return *value;
  Fail(key, "expected an object");
  return empty;
}

const Json& Fields::List(const char* key, size_t count_max) {
  static const Json empty = Json::array();
  const Json* const value = Find(key);
  if (value == nullptr) return empty;
  if (value->is_array() && value->size() <= count_max) return *value;
  Fail(key, absl::StrCat("expected a list of at most ", count_max));
  return empty;
}

std::string Fields::PointerTo(absl::string_view key) const {
  return absl::StrCat(pointer_, "/", key);
}

void Fields::Fail(absl::string_view key, absl::string_view why) {
  if (!status_.ok()) return;
  const std::string field = key.empty() ? pointer_ : PointerTo(key);
  status_ = MakeError(absl::StatusCode::kInvalidArgument,
                      absl::StrCat(field, ": ", why),
                      {.code = "invalid_form", .field = field});
}

void Fields::Merge(const absl::Status& status) {
  if (status_.ok()) status_ = status;
}

absl::Status Fields::Finish() {
  if (status_.ok())
    for (const auto& [key, value] : object_.items())
      // The key itself is not named: it is the sender's text.
      if (!asked_.contains(key)) Fail("", "unknown key");
  return status_;
}

}  // namespace amparo

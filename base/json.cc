#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace amparo {
namespace {

constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

// Builds the value like nlohmann's own parser and refuses what ParseJson
// promises to refuse.
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit StrictBuilder(size_t depth_max) : depth_max_(depth_max) {}

  bool null() override { return Put(nullptr); }
  bool boolean(bool value) override { return Put(value); }
  bool number_integer(number_integer_t value) override { return Put(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<uint64_t>(INT64_MAX)) return Refuse("number too large");
    return Put(static_cast<int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t& text) override {
    // The parser makes a double of an integer that no int64 holds.
    if (!std::isfinite(value) || text.find_first_of(".eE") == string_t::npos)
      return Refuse("number too large");
    return Put(value);
  }
  bool string(string_t& value) override { return Put(std::move(value)); }
  bool binary(binary_t&) override { return Refuse("binary"); }
  bool start_object(size_t) override { return Open(Json::object()); }
  bool start_array(size_t) override { return Open(Json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& value) override {
    if (!open_.back().keys.insert(value).second) return Refuse("a key stands twice");
    open_.back().key = std::move(value);
    return true;
  }
  bool parse_error(size_t, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Refuse("malformed");  // the parser's own text quotes the input
  }

  Json Take() { return std::move(root_); }
  const char* error() const { return error_; }

 private:
  struct Level {
    Json value;
    std::string key;
    std::set<std::string> keys;
  };

  bool Refuse(const char* why) {
    if (error_ == nullptr) error_ = why;
    return false;
  }
  bool Put(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Level& level = open_.back(); level.value.is_array()) {
      level.value.push_back(std::move(value));
    } else {
      // emplace() would compare with every key before; `keys` has done that.
      level.value.get_ref<Json::object_t&>().emplace_back(std::move(level.key),
                                                          std::move(value));
    }
    return true;
  }
  bool Open(Json empty) {
    if (open_.size() == depth_max_) return Refuse("nested too deep");
    open_.push_back({std::move(empty), {}, {}});
    return true;
  }
  bool Close() {
    Json value = std::move(open_.back().value);
    open_.pop_back();
    return Put(std::move(value));
  }

  const size_t depth_max_;
  std::vector<Level> open_;
  Json root_;
  const char* error_ = nullptr;
};

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text, size_t depth_max) {
  // The parser skips a byte order mark and stops at a zero byte: both would
  // give one value a second spelling.
  if (absl::StartsWith(text, kByteOrderMark) ||
      text.find('\0') != absl::string_view::npos)
    return absl::InvalidArgumentError("not JSON: malformed");
  StrictBuilder builder(depth_max);
  const bool parsed = Json::sax_parse(text.begin(), text.end(), &builder);
  if (!parsed)
    return absl::InvalidArgumentError(absl::StrCat(
        "not JSON: ", builder.error() == nullptr ? "malformed" : builder.error()));
  return builder.Take();
}

std::string DumpJson(const Json& value) { return value.dump(); }

absl::StatusOr<std::string> JsonString(const Json& object, const char* key) {
  if (object.is_object())
    if (const auto found = object.find(key);
        found != object.end() && found->is_string())
      return found->get<std::string>();
  return absl::InvalidArgumentError(absl::StrCat(key, ": expected a string"));
}

absl::StatusOr<int64_t> JsonInt(const Json& object, const char* key) {
  if (object.is_object())
    if (const auto found = object.find(key);
        found != object.end() && found->is_number_integer())
      return found->get<int64_t>();
  return absl::InvalidArgumentError(absl::StrCat(key, ": expected an integer"));
}

absl::Status JsonKeysWithin(const Json& object,
                            std::initializer_list<absl::string_view> keys) {
  if (!object.is_object()) return absl::InvalidArgumentError("expected an object");
  for (const auto& [key, unused] : object.items())
    if (std::find(keys.begin(), keys.end(), absl::string_view(key)) == keys.end())
      return absl::InvalidArgumentError(
          absl::StrCat("unknown key; expected one of: ",
                       [&] {
                         std::string list;
                         for (absl::string_view k : keys)
                           absl::StrAppend(&list, list.empty() ? "" : ", ", k);
                         return list;
                       }()));
  return absl::OkStatus();
}

}  // namespace amparo

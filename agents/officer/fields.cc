#include "agents/officer/fields.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agents/officer/table.h"
#include "base/clock.h"

namespace amparo::officer {
namespace {

std::string StringText(const std::string& text, const TextStyle& style) {
  const auto time = ParseUtc(text);
  if (!time.ok()) return Printable(text, /*lines=*/true);
  return TimeText(
      static_cast<uint64_t>(std::max<int64_t>(UnixSeconds(*time), 0)), style);
}

bool IsAbsent(const Json& value) {
  return value.is_object() && value.size() == 1 && value.contains("absent") &&
         value["absent"].is_string();
}

std::string RecordText(const Json& record, const TextStyle& style) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : record.items())
    parts.push_back(absl::StrCat(Words(name), ": ", ValueText(value, style)));
  return parts.empty() ? "none" : absl::StrJoin(parts, "; ");
}

std::string ListText(const Json& list, const TextStyle& style) {
  if (list.empty()) return "none";
  std::vector<std::string> parts;
  bool records = false;
  for (const Json& item : list) {
    records = records || item.is_object();
    parts.push_back(ValueText(item, style));
  }
  return absl::StrJoin(parts, records ? "\n" : ", ");
}

}  // namespace

std::string Words(absl::string_view code) {
  return Printable(absl::StrReplaceAll(code, {{"_", " "}}));
}

std::string ValueText(const Json& value, const TextStyle& style) {
  if (IsAbsent(value))
    return absl::StrCat("no answer (",
                        Words(value["absent"].get<std::string>()), ")");
  if (value.is_null()) return "-";
  if (value.is_boolean()) return YesNo(value.get<bool>());
  if (value.is_string()) return StringText(value.get<std::string>(), style);
  if (value.is_object()) return RecordText(value, style);
  if (value.is_array()) return ListText(value, style);
  return DumpJson(value);
}

std::string FieldsText(const Json& value, size_t indent,
                       const TextStyle& style) {
  const std::string margin(indent, ' ');
  if (value.is_object() && !IsAbsent(value)) {
    if (value.empty()) return absl::StrCat(margin, "(no fields)\n");
    Facts facts(indent);
    for (const auto& [name, field] : value.items())
      facts.Add(Label(name), ValueText(field, style));
    return facts.Text();
  }
  if (!value.is_array() || value.empty())
    return absl::StrCat(margin, ValueText(value, style), "\n");
  std::string text;
  for (size_t i = 0; i < value.size(); ++i)
    absl::StrAppend(&text, margin, i + 1, " of ", value.size(), "\n",
                    FieldsText(value[i], indent + 2, style));
  return text;
}

}  // namespace amparo::officer

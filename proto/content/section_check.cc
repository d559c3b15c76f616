#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/clock.h"
#include "base/status.h"
#include "crypto/digest.h"
#include "proto/content/section.h"
#include "proto/content/section_fields.h"
#include "proto/content/strict_reader.h"

namespace amparo {
namespace {

constexpr char kAttachmentsKey[] = "attachments";

absl::Status Fault(absl::string_view pointer, absl::string_view expected) {
  return FaultAt("invalid_form", pointer, expected);
}

// A field may say why it has no value.
bool IsAbsent(const Json& value) {
  return value.is_object() && value.size() == 1 && value.contains("absent") &&
         value["absent"].is_string() &&
         IsOneOf(AbsentReasons(),
                 value["absent"].get_ref<const std::string&>());
}

bool IsText(const Json& value) {
  return value.is_string() && IsPlainText(value.get_ref<const std::string&>());
}

bool IsTextThat(const Json& value,
                const std::function<bool(const std::string&)>& fits) {
  return value.is_string() && fits(value.get_ref<const std::string&>());
}

bool IsBetween(const Json& value, int64_t min, int64_t max) {
  return value.is_number_integer() && value.get<int64_t>() >= min &&
         value.get<int64_t>() <= max;
}

bool IsListOf(const Json& value, const std::function<bool(const Json&)>& fits) {
  return value.is_array() && value.size() <= kListMax &&
         std::all_of(value.begin(), value.end(), fits);
}

bool IsClock(const std::string& text) {
  return text.size() == 5 && text[2] == ':' &&
         ParseUtc(absl::StrCat("2000-01-01T", text, ":00Z")).ok();
}

bool IsAnswer(const Json& value) {
  return IsText(value) || value.is_boolean() || value.is_number() ||
         IsAbsent(value);
}

// What a field of this type must be, in words.
std::string Expected(const FieldRule& rule) {
  const auto or_absent = [](absl::string_view what) {
    return absl::StrCat(what, ", or {\"absent\":\"unknown\"}");
  };
  switch (rule.type) {
    case FieldType::kText:
      return or_absent("text without control characters");
    case FieldType::kYesNo:
      return or_absent("true or false");
    case FieldType::kCount:
      return or_absent("a whole number from 0 to 10000");
    case FieldType::kNumber:
      return or_absent("a number");
    case FieldType::kYear:
      return or_absent("a year from 1900 to 2100");
    case FieldType::kDate:
      return or_absent("YYYY-MM-DD");
    case FieldType::kMonth:
      return or_absent("YYYY-MM");
    case FieldType::kTime:
      return or_absent("a time like 2026-11-21T09:30:00Z");
    case FieldType::kClock:
      return or_absent("HH:MM");
    case FieldType::kHash:
      return "sha256: and 64 hex digits";
    case FieldType::kSize:
      return "a number of bytes";
    case FieldType::kCode:
      return or_absent(OneOf(rule.codes()));
    case FieldType::kTexts:
      return or_absent("a list of texts");
    case FieldType::kCodes:
      return or_absent(
          absl::StrCat("a list of: ", absl::StrJoin(rule.codes(), " ")));
    case FieldType::kAnswers:
      return or_absent("an object of texts, numbers, true and false");
    case FieldType::kRecord:
      return or_absent("an object");
    case FieldType::kRecords:
      return or_absent("a list of objects");
  }
  return "";
}

bool Fits(const FieldRule& rule, const Json& value) {
  switch (rule.type) {
    case FieldType::kText:
      return IsText(value);
    case FieldType::kYesNo:
      return value.is_boolean();
    case FieldType::kCount:
      return IsBetween(value, 0, 10000);
    case FieldType::kNumber:
      return value.is_number();
    case FieldType::kYear:
      return IsBetween(value, 1900, 2100);
    case FieldType::kDate:
      return IsTextThat(value, [](const std::string& t) { return IsDate(t); });
    case FieldType::kMonth:
      return IsTextThat(value,
                        [](const std::string& t) { return IsDate(t + "-01"); });
    case FieldType::kTime:
      return IsTextThat(value,
                        [](const std::string& t) { return ParseUtc(t).ok(); });
    case FieldType::kClock:
      return IsTextThat(value, IsClock);
    case FieldType::kHash:
      return IsTextThat(
          value, [](const std::string& t) { return Digest::Parse(t).ok(); });
    case FieldType::kSize:
      return IsBetween(value, 0, int64_t{1} << 40);
    case FieldType::kCode:
      return IsTextThat(value, [&](const std::string& t) {
        return IsOneOf(rule.codes(), t);
      });
    case FieldType::kTexts:
      return IsListOf(value, IsText);
    case FieldType::kCodes:
      return IsListOf(value, [&](const Json& item) {
        return IsTextThat(item, [&](const std::string& t) {
          return IsOneOf(rule.codes(), t);
        });
      });
    case FieldType::kAnswers:
      return value.is_object() && value.size() <= kListMax &&
             std::all_of(value.begin(), value.end(), IsAnswer) &&
             std::all_of(
                 value.items().begin(), value.items().end(),
                 [](const auto& item) { return IsPlainText(item.key()); });
    case FieldType::kRecord:
      return value.is_object();
    case FieldType::kRecords:
      return value.is_array() && value.size() <= kListMax;
  }
  return false;
}

absl::Status CheckRecord(absl::Span<const FieldRule> fields, const Json& value,
                         const std::string& pointer);

absl::Status CheckRecords(absl::Span<const FieldRule> fields, const Json& list,
                          const std::string& pointer) {
  for (size_t i = 0; i < list.size(); ++i)
    RETURN_IF_ERROR(
        CheckRecord(fields, list[i], absl::StrCat(pointer, "/", i)));
  return absl::OkStatus();
}

absl::Status CheckField(const FieldRule& rule, const Json& value,
                        const std::string& pointer) {
  if (IsAbsent(value)) return absl::OkStatus();
  if (!Fits(rule, value)) return Fault(pointer, Expected(rule));
  if (rule.type == FieldType::kRecord)
    return CheckRecord(rule.fields, value, pointer);
  if (rule.type == FieldType::kRecords)
    return CheckRecords(rule.fields, value, pointer);
  return absl::OkStatus();
}

absl::Status CheckRecord(absl::Span<const FieldRule> fields, const Json& value,
                         const std::string& pointer) {
  if (!value.is_object()) return Fault(pointer, "an object");
  for (const auto& item : value.items()) {
    const std::string& key = item.key();
    const auto rule =
        std::find_if(fields.begin(), fields.end(),
                     [&](const FieldRule& r) { return r.name == key; });
    if (rule == fields.end()) {
      // The key is not repeated: somebody may have typed a name there.
      const auto names = [](std::string* out, const FieldRule& r) {
        absl::StrAppend(out, r.name);
      };
      return Fault(pointer, absl::StrCat("no fields but: ",
                                         absl::StrJoin(fields, " ", names)));
    }
    RETURN_IF_ERROR(
        CheckField(*rule, item.value(), absl::StrCat(pointer, "/", key)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateSlot(Slot slot, const Json& value) {
  const SlotRule rule = RuleOf(slot);
  const std::string pointer = absl::StrCat("/sections/", NameOf(slot));
  if (!rule.is_list) return CheckRecord(rule.fields, value, pointer);
  if (!value.is_array() || value.size() > kListMax)
    return Fault(pointer, "a list");
  return CheckRecords(rule.fields, value, pointer);
}

absl::Status ValidateSection(Section section, const Json& value) {
  return ValidateSlot({section}, value);
}

absl::Status AddAttachment(Section section, const AttachmentInfo& attachment,
                           Json& value) {
  if (RuleOf({section}).is_list)
    return Fault(absl::StrCat("/sections/", NameOf(section)),
                 "a section that takes attachments");
  Json changed = value.is_null() ? Json::object() : value;
  if (!changed.is_object())
    return Fault(absl::StrCat("/sections/", NameOf(section)), "an object");
  if (!changed.contains(kAttachmentsKey) ||
      !changed[kAttachmentsKey].is_array())
    changed[kAttachmentsKey] = Json::array();
  changed[kAttachmentsKey].push_back({{"name", attachment.name},
                                      {"media_type", attachment.media_type},
                                      {"size_bytes", attachment.size_bytes},
                                      {"sha256", attachment.sha256}});
  RETURN_IF_ERROR(ValidateSection(section, changed));
  value = std::move(changed);
  return absl::OkStatus();
}

std::vector<AttachmentInfo> AttachmentsOf(const Json& value) {
  std::vector<AttachmentInfo> attachments;
  if (!value.is_object() || !value.contains(kAttachmentsKey))
    return attachments;
  const Json& list = value[kAttachmentsKey];
  if (!list.is_array()) return attachments;
  for (const Json& item : list) {
    auto name = JsonString(item, "name");
    auto media_type = JsonString(item, "media_type");
    const auto size = JsonInt(item, "size_bytes");
    auto sha256 = JsonString(item, "sha256");
    if (!name.ok() || !media_type.ok() || !size.ok() || *size < 0 ||
        !sha256.ok())
      continue;
    attachments.push_back({*std::move(name), *std::move(media_type),
                           static_cast<uint64_t>(*size), *std::move(sha256)});
  }
  return attachments;
}

}  // namespace amparo

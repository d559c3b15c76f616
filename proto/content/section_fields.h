#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "proto/content/codes.h"
#include "proto/content/section.h"

// The fields of every section as a table (docs/PROTOCOL.md, Sections).

namespace amparo {

enum class FieldType {
  kText,
  kYesNo,
  kCount,   // 0 to 10000
  kNumber,  // integer or not
  kYear,    // 1900 to 2100
  kDate,    // YYYY-MM-DD
  kMonth,   // YYYY-MM
  kTime,    // RFC 3339, UTC
  kClock,   // HH:MM
  kHash,    // sha256:...
  kSize,    // bytes
  kCode,    // one of `codes`
  kTexts,
  kCodes,    // a list of `codes`
  kAnswers,  // an object of texts, numbers, true and false: a questionnaire's
  kRecord,   // an object of `fields`
  kRecords,  // a list of them
};

struct FieldRule {
  absl::string_view name;
  FieldType type;
  CodeList (*codes)() = nullptr;
  absl::Span<const FieldRule> fields = {};
};

// The value of a slot: one record, or (children) a list of records.
struct SlotRule {
  absl::Span<const FieldRule> fields;
  bool is_list = false;
};
SlotRule RuleOf(Slot slot);

}  // namespace amparo

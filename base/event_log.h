#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/strong_id.h"

namespace amparo {

// One field of a journal line. Safe by type: ids, codes written in the source,
// numbers and durations; there is no way to pass free text.
class EventField {
 public:
  template <typename Tag>
  EventField(const char* name, const StrongId<Tag>& id)
      : name_(name), value_(id.text()) {}
  template <typename Tag>
  EventField(const char* name, StrongNumber<Tag> number)
      : name_(name), value_(static_cast<int64_t>(number.value())) {}
  // A string literal or another constant of the program, such as an error code.
  EventField(const char* name, const char* code)
      : name_(name), value_(std::string(code)) {}
  EventField(const char* name, int64_t count) : name_(name), value_(count) {}
  EventField(const char* name, uint64_t count)
      : name_(name), value_(static_cast<int64_t>(count)) {}
  EventField(const char* name, int count)
      : name_(name), value_(static_cast<int64_t>(count)) {}
  EventField(const char* name, bool flag) : name_(name), value_(flag) {}
  // Written as milliseconds; name it ..._ms.
  EventField(const char* name, absl::Duration duration)
      : name_(name), value_(absl::ToInt64Milliseconds(duration)) {}

 private:
  friend std::string FormatEvent(absl::Time, const char*, const char*,
                                 std::initializer_list<EventField>);
  const char* name_;
  std::variant<std::string, int64_t, bool> value_;
};

enum class EventLevel { kInfo, kWarning, kError };

// Writes one JSON line to standard error: time, level, event, fields. `event`
// is a constant of the closed list in docs/OPERATIONS.md. Thread-safe.
void LogEvent(EventLevel level, const char* event,
              std::initializer_list<EventField> fields = {});
inline void LogEvent(const char* event,
                     std::initializer_list<EventField> fields = {}) {
  LogEvent(EventLevel::kInfo, event, fields);
}

// Lines below `level` are not written; thread-safe, default kInfo.
void SetEventLevel(EventLevel level);

// The line that LogEvent writes, without the newline.
std::string FormatEvent(absl::Time time, const char* level, const char* event,
                        std::initializer_list<EventField> fields);

}  // namespace amparo

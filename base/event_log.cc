#include "base/event_log.h"

#include <unistd.h>

#include <atomic>

#include "absl/time/clock.h"
#include "base/clock.h"
#include "nlohmann/json.hpp"

namespace amparo {
namespace {

std::atomic<EventLevel> g_level = EventLevel::kInfo;

const char* NameOf(EventLevel level) {
  switch (level) {
    case EventLevel::kInfo:
      return "info";
    case EventLevel::kWarning:
      return "warning";
    case EventLevel::kError:
      return "error";
  }
  return "error";
}

}  // namespace

std::string FormatEvent(absl::Time time, const char* level, const char* event,
                        std::initializer_list<EventField> fields) {
  nlohmann::ordered_json line;
  line["time"] = FormatUtc(time);
  line["level"] = level;
  line["event"] = event;
  for (const EventField& field : fields)
    std::visit([&](const auto& value) { line[field.name_] = value; },
               field.value_);
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void LogEvent(EventLevel level, const char* event,
              std::initializer_list<EventField> fields) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  std::string line = FormatEvent(absl::Now(), NameOf(level), event, fields);
  line += '\n';
  // One write per line, so that lines of several threads do not mix. A journal
  // that cannot be written stops nobody.
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, line.data(), line.size());
}

void SetEventLevel(EventLevel level) { g_level = level; }

}  // namespace amparo

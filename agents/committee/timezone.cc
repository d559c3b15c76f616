#include "agents/committee/timezone.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/error.h"

namespace amparo::committee {
namespace {

// Abseil takes a path, and this machine's own zone, for a name, too.
bool IsName(const std::string& name) {
  return !name.empty() &&
         absl::ascii_isupper(static_cast<unsigned char>(name[0])) &&
         name.find("..") == std::string::npos;
}

}  // namespace

absl::Status CheckTimezone(const std::string& name, const char* field) {
  absl::TimeZone zone;
  if (IsName(name) && absl::LoadTimeZone(name, &zone)) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kInvalidArgument,
      absl::StrCat("there is no time zone ", name),
      {.code = "usage",
       .field = field,
       .expected = "a name of the IANA database: Europe/Lisbon, UTC",
       .hint = "known are those of this machine's package tzdata"});
}

}  // namespace amparo::committee

#include "agents/committee/running_out.h"

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"

namespace amparo::committee {
namespace {

constexpr int64_t kSoonDays = 30;
constexpr int64_t kUrgentDays = 7;

int64_t DaysOf(absl::Duration duration) { return duration / absl::Hours(24); }

std::string InDays(int64_t days) {
  if (days == 0) return "today";
  return absl::StrCat("in ", days, days == 1 ? " day" : " days");
}

const char* ToneOf(int64_t days) {
  if (days <= kUrgentDays) return "URGENT: ";
  return days <= kSoonDays ? "WARNING: " : "Note: ";
}

std::string CharterEnds(const Charter& charter, absl::Duration left) {
  if (left <= absl::ZeroDuration())
    return absl::StrCat(
        "URGENT: the charter ran out on ", FormatUtc(charter.expires),
        ": nobody gets a new signing key, and 30 days later nothing is sent "
        "any more. Publish the next version.");
  const int64_t days = DaysOf(left);
  return absl::StrCat(ToneOf(days), "the charter ends ", InDays(days), ", on ",
                      FormatUtc(charter.expires),
                      ": set expires, sign and publish the next version "
                      "before.");
}

std::string KeyEnds(const GovernanceKey& key, absl::Duration left) {
  const std::string name =
      absl::StrCat("governance key ", key.id, " of ", key.member.text());
  const std::string remedy =
      absl::StrCat(": new-key, then add-key --replaces ", key.id, ".");
  if (left <= absl::ZeroDuration())
    return absl::StrCat("URGENT: ", name, " ran out on ", FormatUtc(key.until),
                        ", its signature counts for nothing", remedy);
  const int64_t days = DaysOf(left);
  return absl::StrCat(ToneOf(days), name, " runs out ", InDays(days), ", on ",
                      FormatUtc(key.until), remedy);
}

}  // namespace

std::vector<std::string> RunningOut(const Charter& charter, absl::Time now) {
  std::vector<std::string> lines;
  if (now >= charter.expires - kToldAhead)
    lines.push_back(CharterEnds(charter, charter.expires - now));
  for (const GovernanceKey& key : charter.governance)
    if (now >= key.until - kToldAhead)
      lines.push_back(KeyEnds(key, key.until - now));
  return lines;
}

absl::Status CheckKeyCounts(const GovernanceKey& key, absl::Time now) {
  if (now < key.until) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("governance key ", key.id, " ran out on ",
                   FormatUtc(key.until), ": its signature counts for nothing"),
      {.code = "invalid_state",
       .field = "--key",
       .hint = "the others put another key in its place: add-key --replaces"});
}

absl::Status CheckCharterLife(const Charter& draft, absl::Time now) {
  if (draft.expires > now && draft.expires <= now + kCharterLifeMax)
    return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kInvalidArgument,
      absl::StrCat("expires is ", FormatUtc(draft.expires)),
      {.code = "invalid_form",
       .field = "/expires",
       .expected = absl::StrCat("a time to come, at most 400 days from now: ",
                                FormatUtc(now + kCharterLifeMax)),
       .hint = "amparo-charter set expires TIME"});
}

}  // namespace amparo::committee

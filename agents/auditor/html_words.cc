#include "agents/auditor/html_words.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace amparo::auditor {
namespace {

using Word = std::pair<absl::string_view, absl::string_view>;

// The codes of Disclosure without consent.
constexpr Word kReasons[] = {
    {"imminent_danger_life", "imminent danger to life"},
    {"child_in_danger", "a child in danger"},
    {"incapacity", "the person could not decide"},
    {"legal_duty_report", "a legal duty to report"},
    {"court_or_prosecutor_order", "order of a court or a prosecutor"},
    {"high_risk_conference", "conference about a high-risk case"},
    {"missing_person", "a missing person"},
    {"threat_to_staff_or_others", "threat to staff or others"}};
constexpr Word kEvents[] = {
    {"access_log_checkpoint", "access log anchored"},
    {"anchor", "document dated"},
    {"charter", "charter"},
    {"envelope", "message"},
    {"erasure", "deletion asked for"},
    {"expiry", "message ran out"},
    {"key_event", "key made or revoked"},
    {"recall", "message taken back"},
    {"receipt", "receipt"},
    {"sealed", "sealed: the source of this audit does not open it"},
    {"suspension", "suspension"}};

template <size_t N>
std::string WordFor(const Word (&words)[N], absl::string_view code) {
  for (const auto& [name, word] : words)
    if (name == code) return std::string(word);
  return Words(code);
}

}  // namespace

std::string Words(absl::string_view code) {
  return absl::StrReplaceAll(code, {{"_", " "}});
}

absl::string_view TitleOf(FindingCode code) {
  switch (code) {
    case FindingCode::kLeafMismatch:
      return "An entry is not the one that was written";
    case FindingCode::kTileMissing:
      return "Entries are missing";
    case FindingCode::kRootMismatch:
      return "The entries are not those of the signed state";
    case FindingCode::kBadCheckpoint:
      return "A state of the log is not signed as it must be";
    case FindingCode::kQuorumMissing:
      return "Too few witnesses signed";
    case FindingCode::kInconsistent:
      return "Two signed statements contradict each other";
    case FindingCode::kBadCharter:
      return "A charter or suspension that does not count";
    case FindingCode::kBadKeyEvent:
      return "A key that does not count";
    case FindingCode::kBadSignature:
      return "Something is not signed by whom it names, or is about another "
             "entry";
    case FindingCode::kOpeningMismatch:
      return "A sealed entry holds something else than is said of it";
    case FindingCode::kOpeningMissing:
      return "What an entry held is gone, and nobody asked for that";
    case FindingCode::kLinkGap:
      return "A message is missing between two institutions";
    case FindingCode::kLinkFork:
      return "Two messages claim one place";
    case FindingCode::kNotCovered:
      return "Disclosed without consent or legal ground";
    case FindingCode::kAfterRevocation:
      return "Disclosed after the consent was taken back";
    case FindingCode::kLate:
      return "At a wrong time, or out of its order";
  }
  return "";
}

std::string ReasonText(absl::string_view code) {
  return WordFor(kReasons, code);
}

std::string SectionText(absl::string_view slot) {
  const bool summary = absl::ConsumeSuffix(&slot, "_summary");
  return absl::StrCat(Words(slot), summary ? " (summary)" : "");
}

std::string EventText(absl::string_view event) {
  return WordFor(kEvents, event);
}

std::string DetailText(const TimelineEntry& row) {
  absl::string_view records = row.detail;
  if (row.event == "access_log_checkpoint" &&
      absl::ConsumePrefix(&records, "size "))
    return absl::StrCat(records, " record(s)");
  if (row.event == "erasure") return absl::StrCat("of ", row.detail);
  return row.detail == "undecryptable" ? "could not be opened by its recipient"
                                       : row.detail;
}

}  // namespace amparo::auditor

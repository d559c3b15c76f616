#include "agents/officer/hints.h"

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "base/error.h"

namespace amparo::officer {
namespace {

constexpr std::pair<absl::string_view, absl::string_view> kHints[] = {
    {"invalid_form", "correct the file and try again; nothing was sent"},
    {"invalid_state", "see where it stands with `amparo referral show ID`"},
    {"ambiguous_id", "type more characters of the id; where two members use one id, add whose "
     "it is: ID@MEMBER"},
    {"too_large", "make it smaller and try again; nothing was stored"},
    {"conflict", "look at it again: somebody else changed it meanwhile"},
    {"storage", "tell who runs the agent: its disk may be full or failing"},
    {"internal", "tell who runs the agent; its journal says more"},
    {"not_found",
     "see what there is with `amparo referral list`, `consent list` or "
     "`case list`"},
    {"unknown_member", "see the members with `amparo directory list`"},
    {"not_an_officer",
     "ask your administrator for `amparo officer add`, and check officer in "
     "your profile"},
    {"role_missing", "ask somebody with that role, or your administrator"},
    {"not_assigned", "ask your supervisor to assign the case to you"},
    {"no_consent",
     "record a consent with `amparo consent record`, or see what would go "
     "with --dry-run"},
    {"consent_expired", "renew it with `amparo consent extend ID`"},
    {"consent_revoked", "respect it, or record a new consent"},
    {"nothing_to_send", "see why with --dry-run"},
    {"member_suspended", "ask the committee; meanwhile use the telephone"},
    {"key_too_new",
     "compare the key words by phone (`amparo directory show MEMBER`), then "
     "add --confirm-key MEMBER"},
    {"broker_unreachable", "try again later; see `amparo status`"},
    {"timed_out", "try again, with a longer time"},
};

}  // namespace

absl::Status WithHint(const absl::Status& error) {
  if (error.ok()) return error;
  ErrorDetail detail = DetailOf(error).value_or(ErrorDetail{});
  if (!detail.hint.empty()) return error;
  detail.code = ErrorCodeOf(error);
  for (const auto& [code, hint] : kHints)
    if (detail.code == code) detail.hint = std::string(hint);
  return MakeError(error.code(), error.message(), detail);
}

}  // namespace amparo::officer

#include "base/error.h"

#include <array>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_split.h"

namespace amparo {
namespace {

constexpr char kPayloadUrl[] = "amparo/error-detail";
// Never part of a detail: details are our own short texts.
constexpr char kSeparator = '\x1f';

constexpr std::pair<absl::string_view, int> kExits[] = {
    {"invalid_form", 1},      {"invalid_state", 1},
    {"invalid_invitation", 1}, {"ambiguous_id", 1},
    {"too_large", 1},         {"conflict", 1},
    {"storage", 1},           {"timed_out", 1},
    {"internal", 1},          {"usage", 2},
    {"config", 2},            {"not_found", 3},
    {"unknown_member", 3},    {"not_an_officer", 4},
    {"role_missing", 4},      {"not_assigned", 4},
    {"excluded", 4},          {"no_consent", 4},
    {"consent_expired", 4},   {"consent_revoked", 4},
    {"matrix", 4},            {"nothing_to_send", 4},
    {"member_suspended", 4},  {"key_too_new", 4},
    {"invitation_used", 4},   {"invitation_expired", 4},
    {"agent_unreachable", 5}, {"broker_unreachable", 5},
    {"verification_failed", 6}, {"tampered", 6},
    {"forked", 6},            {"root_mismatch", 6},
    {"wrong_pin", 6},
};

absl::string_view DefaultCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return "invalid_form";
    case absl::StatusCode::kNotFound:
      return "not_found";
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return "conflict";
    case absl::StatusCode::kPermissionDenied:
      // Who refuses by rule says which; what is left are signatures, keys and
      // ciphertexts that do not fit.
      return "verification_failed";
    case absl::StatusCode::kUnauthenticated:
      return "role_missing";
    case absl::StatusCode::kFailedPrecondition:
      return "invalid_state";
    case absl::StatusCode::kDeadlineExceeded:
      return "timed_out";
    case absl::StatusCode::kUnavailable:
      return "broker_unreachable";
    case absl::StatusCode::kDataLoss:
      return "tampered";
    case absl::StatusCode::kResourceExhausted:
      return "too_large";
    default:
      return "internal";
  }
}

}  // namespace

absl::Status MakeError(absl::StatusCode status_code, absl::string_view message,
                       const ErrorDetail& detail) {
  absl::Status status(status_code, message);
  std::string payload;
  for (const std::string* part :
       {&detail.code, &detail.field, &detail.expected, &detail.hint}) {
    payload += *part;
    payload += kSeparator;
  }
  payload += detail.retryable ? '1' : '0';
  status.SetPayload(kPayloadUrl, absl::Cord(payload));
  return status;
}

std::optional<ErrorDetail> DetailOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return std::nullopt;
  const std::string text(*payload);
  std::array<std::string, 5> parts = {};
  size_t index = 0;
  for (absl::string_view part : absl::StrSplit(text, kSeparator)) {
    if (index == parts.size()) return std::nullopt;
    parts[index++] = std::string(part);
  }
  return ErrorDetail{parts[0], parts[1], parts[2], parts[3], parts[4] == "1"};
}

std::string ErrorCodeOf(const absl::Status& status) {
  if (const auto detail = DetailOf(status); detail && !detail->code.empty())
    return detail->code;
  return std::string(DefaultCode(status.code()));
}

int ExitOf(absl::string_view error_code) {
  for (const auto& [code, exit] : kExits)
    if (code == error_code) return exit;
  return 1;
}

}  // namespace amparo

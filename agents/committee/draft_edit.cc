#include "agents/committee/draft_edit.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/committee/changes.h"
#include "agents/committee/spare_witnesses.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"

namespace amparo::committee {
namespace {

// What a change of one thing may break in another, and how to go about it.
absl::Status WithHint(const absl::Status& status) {
  ErrorDetail detail = DetailOf(status).value_or(ErrorDetail{});
  if (detail.field == "/witness/quorum")
    detail.hint = "lower it first: amparo-charter set witness.quorum NUMBER";
  else if (detail.field == "/governance/threshold")
    detail.hint =
        "lower it first: amparo-charter set governance.threshold NUMBER";
  else
    return status;
  return MakeError(status.code(), status.message(), detail);
}

}  // namespace

absl::StatusOr<DraftEdit> DraftEdit::Begin(const CharterFolder& folder) {
  ASSIGN_OR_RETURN(std::optional<AcceptedCharter> published, folder.Newest());
  const uint64_t version =
      published.has_value() ? published->charter.version + 1 : 1;
  if (FileExists(folder.PendingPath(version)))
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     absl::StrCat("version ", version, " is being signed"),
                     {.code = "conflict",
                      .hint = "publish it first, or remove its pending file"});
  ASSIGN_OR_RETURN(Charter draft, folder.Draft(published));
  return DraftEdit(folder, std::move(published), std::move(draft));
}

absl::StatusOr<Member*> DraftEdit::Find(const std::string& member) {
  const auto found = std::find_if(
      draft_.members.begin(), draft_.members.end(),
      [&](const Member& other) { return other.id.text() == member; });
  if (found == draft_.members.end())
    return MakeError(
        absl::StatusCode::kNotFound,
        absl::StrCat("the draft has no member ", member),
        {.code = "unknown_member",
         .hint = absl::StrCat("a new one: amparo-charter add-member ", member,
                              ":KIND[:NAME]")});
  return &*found;
}

std::vector<std::string> DraftEdit::Warnings() const {
  std::optional<Charter> before;
  if (published_.has_value()) before = published_->charter;
  return WitnessWarnings(before, draft_);
}

absl::Status DraftEdit::Replace(const Json& charter) {
  absl::StatusOr<Charter> decoded = DecodeCharter(charter);
  RETURN_IF_ERROR(decoded.status());
  draft_ = *std::move(decoded);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> DraftEdit::Keep() {
  // From its own form: a rule that it breaks is told before it is written.
  const absl::Status checked = DecodeCharter(EncodeCharter(draft_)).status();
  if (!checked.ok()) return WithHint(checked);
  std::vector<std::string> changes = DescribeDifferences(before_, draft_);
  if (!changes.empty()) RETURN_IF_ERROR(folder_.WriteDraft(draft_, published_));
  return changes;
}

}  // namespace amparo::committee

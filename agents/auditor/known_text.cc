#include "agents/auditor/known_text.h"

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/encoding.h"
#include "base/status.h"

namespace amparo::auditor {
namespace {

constexpr char kNone[] = "-";
constexpr size_t kCodes = static_cast<size_t>(FindingCode::kLate) + 1;

absl::Status Bad() {
  return absl::InvalidArgumentError("no finding of an earlier replay");
}

absl::StatusOr<Step> StepOf(absl::string_view name) {
  for (size_t i = 0; i < kStepCount; ++i)
    if (NameOf(static_cast<Step>(i)) == name) return static_cast<Step>(i);
  return Bad();
}

absl::StatusOr<FindingCode> CodeOf(absl::string_view name) {
  for (size_t i = 0; i < kCodes; ++i)
    if (NameOf(static_cast<FindingCode>(i)) == name)
      return static_cast<FindingCode>(i);
  return Bad();
}

absl::StatusOr<uint64_t> Number(absl::string_view text) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return Bad();
  return number;
}

absl::StatusOr<bool> Either(absl::string_view text, absl::string_view yes,
                            absl::string_view no) {
  if (text != yes && text != no) return Bad();
  return text == yes;
}

std::string Packed(absl::string_view text) {
  return text.empty() ? kNone : ToBase64Url(AsBytes(text));
}
absl::StatusOr<std::string> Unpacked(absl::string_view field) {
  if (field == kNone) return std::string();
  ASSIGN_OR_RETURN(const Bytes bytes, FromBase64Url(field));
  return amparo::ToText(bytes);
}

std::string MemberText(const std::optional<MemberId>& member) {
  return member.has_value() ? member->text() : kNone;
}
absl::StatusOr<std::optional<MemberId>> ParseMember(absl::string_view field) {
  if (field == kNone) return std::optional<MemberId>();
  ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(field));
  return std::optional<MemberId>(member);
}

}  // namespace

std::string FailedText(const Report::Known& known) {
  std::vector<std::string> names;
  for (size_t i = 0; i < kStepCount; ++i)
    if (known.failed[i]) names.emplace_back(NameOf(static_cast<Step>(i)));
  return names.empty() ? kNone : absl::StrJoin(names, ",");
}

absl::Status ParseFailed(absl::string_view text, Report::Known& known) {
  if (text == kNone) return absl::OkStatus();
  for (const absl::string_view name : absl::StrSplit(text, ',')) {
    ASSIGN_OR_RETURN(const Step step, StepOf(name));
    known.failed[static_cast<size_t>(step)] = true;
  }
  return absl::OkStatus();
}

std::string FindingText(const Finding& finding) {
  return absl::StrCat(
      NameOf(finding.code), " ",
      finding.index.has_value() ? absl::StrCat(finding.index->value()) : kNone,
      " ", finding.known ? "known" : "new", " ", Packed(finding.text), " ",
      Packed(finding.check));
}

absl::StatusOr<Finding> ParseFinding(
    const std::vector<absl::string_view>& fields, size_t from) {
  if (fields.size() < from + 5) return Bad();
  Finding finding{};
  ASSIGN_OR_RETURN(finding.code, CodeOf(fields[from]));
  if (fields[from + 1] != kNone) {
    ASSIGN_OR_RETURN(const uint64_t leaf, Number(fields[from + 1]));
    finding.index = LeafIndex(leaf);
  }
  ASSIGN_OR_RETURN(finding.known, Either(fields[from + 2], "known", "new"));
  ASSIGN_OR_RETURN(finding.text, Unpacked(fields[from + 3]));
  ASSIGN_OR_RETURN(finding.check, Unpacked(fields[from + 4]));
  return finding;
}

std::string ExcuseText(const Erasures::Excuse& excuse) {
  return absl::StrCat(NameOf(excuse.step), " ", excuse.begin, " ", excuse.end,
                      " ", excuse.needed, " ", MemberText(excuse.from), " ",
                      MemberText(excuse.to), " ", excuse.ends ? "end" : "link",
                      " ", FindingText(excuse.finding));
}

absl::StatusOr<Erasures::Excuse> ParseExcuse(
    const std::vector<absl::string_view>& fields, size_t from) {
  if (fields.size() != from + 12) return Bad();
  Erasures::Excuse excuse{};
  ASSIGN_OR_RETURN(excuse.step, StepOf(fields[from]));
  ASSIGN_OR_RETURN(excuse.begin, Number(fields[from + 1]));
  ASSIGN_OR_RETURN(excuse.end, Number(fields[from + 2]));
  ASSIGN_OR_RETURN(excuse.needed, Number(fields[from + 3]));
  ASSIGN_OR_RETURN(excuse.from, ParseMember(fields[from + 4]));
  ASSIGN_OR_RETURN(excuse.to, ParseMember(fields[from + 5]));
  ASSIGN_OR_RETURN(excuse.ends, Either(fields[from + 6], "end", "link"));
  ASSIGN_OR_RETURN(excuse.finding, ParseFinding(fields, from + 7));
  return excuse;
}

}  // namespace amparo::auditor

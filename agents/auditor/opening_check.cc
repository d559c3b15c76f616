#include "agents/auditor/opening_check.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "proto/envelope/limits.h"

namespace amparo::auditor {
namespace {

constexpr char kHowToCheck[] =
    "the commitment is SHA-256 of the label amparo/v1/leaf, the salt and the "
    "event, as docs/PROTOCOL.md says";

}  // namespace

OpeningCheck::OpeningCheck(LeafSource& source, bool mirror, Report& report)
    : source_(source),
      report_(report),
      mirror_(mirror),
      active_(source.HasOpenings()) {}

absl::Status OpeningCheck::Load(uint64_t start, uint32_t count, uint64_t from) {
  loaded_.clear();
  claimed_.clear();
  if (!active_) return absl::OkStatus();
  absl::StatusOr<std::vector<Opening>> openings =
      source_.Openings(start, count);
  if (openings.ok())
    loaded_ = std::move(openings).value();
  else if (!absl::IsNotFound(openings.status()) &&
           !absl::IsInvalidArgument(openings.status()))
    return openings.status();
  std::erase_if(loaded_,
                [from](const Opening& opening) { return opening.leaf < from; });
  claimed_.assign(loaded_.size(), false);
  return absl::OkStatus();
}

std::optional<AuditEvent> OpeningCheck::Open(LeafIndex leaf,
                                             const CommitmentEntry& entry) {
  if (!active_) {
    ++report_.counts.unopened;
    return std::nullopt;
  }
  report_.Checked(Step::kOpenings);
  std::optional<size_t> found;
  for (size_t i = 0; i < loaded_.size() && !found.has_value(); ++i)
    if (!claimed_[i] && loaded_[i].readable && loaded_[i].leaf == leaf.value())
      found = i;
  for (size_t i = 0; i < loaded_.size() && !found.has_value(); ++i)
    if (!claimed_[i] && !loaded_[i].readable && loaded_[i].leaf <= leaf.value())
      found = i;
  if (!found.has_value()) {
    ++report_.counts.unopened;
    unopened_.Add(leaf);
    unexplained_.Add(leaf);
    return std::nullopt;
  }
  claimed_[*found] = true;
  const Opening& opening = loaded_[*found];
  std::optional<AuditEvent> event;
  if (!opening.readable || opening.salt.size() != kSaltBytes) {
    AddMismatch(leaf, "cannot be read");
  } else if (LeafCommitment(opening.salt, opening.event) != entry.commitment) {
    AddMismatch(leaf, "does not fit its commitment");
  } else if (absl::StatusOr<AuditEvent> decoded =
                 DecodeAuditEvent(opening.event);
             decoded.ok()) {
    event = std::move(decoded).value();
  } else {
    AddMismatch(leaf, "fits its commitment, but is no event");
  }
  if (!event.has_value()) unopened_.Add(leaf);
  return event;
}

void OpeningCheck::EndOfBundle() {
  for (size_t i = 0; i < loaded_.size(); ++i)
    if (!claimed_[i])
      AddMismatch(LeafIndex(loaded_[i].leaf),
                  "stands twice, or belongs to no commitment");
  loaded_.clear();
  claimed_.clear();
}

void OpeningCheck::AddMismatch(LeafIndex leaf, const char* why) {
  report_.Add(Step::kOpenings,
              {FindingCode::kOpeningMismatch, leaf,
               absl::StrCat("the opening of entry ", leaf.value(), " ", why),
               kHowToCheck});
}

void OpeningCheck::Finish() {
  if (!active_)
    return report_.Skip(Step::kOpenings, "the source gives no openings");
  if (report_.step(Step::kOpenings).checked == 0)
    report_.Skip(Step::kOpenings, "no sealed entry to look at");
  if (mirror_ && unopened_.size() > 0)
    return report_.Skip(Step::kOpenings,
                        absl::StrCat("one member's mirror, which opens that "
                                     "member's own mail: ",
                                     report_.counts.unopened,
                                     " sealed entries are not opened"));
  for (const auto& [begin, end] : unexplained_.runs())
    report_.Add(Step::kOpenings,
                {FindingCode::kOpeningMissing, LeafIndex(begin),
                 end == begin + 1
                     ? absl::StrCat("entry ", begin,
                                    " has no opening, and no erasure names it")
                     : absl::StrCat("entries ", begin, " to ", end - 1,
                                    " have no opening, and no erasure names "
                                    "them"),
                 "", begin < restored_.value()});
}

}  // namespace amparo::auditor

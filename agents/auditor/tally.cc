#include "agents/auditor/tally.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace amparo::auditor {

Tally::Cell* Tally::At(absl::Time time, const std::string& member) {
  if (member.empty()) return nullptr;
  auto& members =
      months_[absl::FormatTime("%E4Y-%m", time, absl::UTCTimeZone())];
  const auto found = members.find(member);
  if (found != members.end()) return &found->second;
  if (cells_ == kCellsMax) return nullptr;
  ++cells_;
  return &members[member];
}

void Tally::AddLate(const Pending& pending, const std::string& outcome) {
  if (late_.size() == kLateMax)
    ++late_omitted_;
  else
    late_.push_back(
        {pending.leaf, pending.at, pending.from, pending.to, outcome});
}

// Something came of an envelope.
void Tally::End(const TimelineEntry& row) {
  const auto found = pending_.find(row.digest);
  if (found == pending_.end()) return;
  const absl::Duration took = row.at - found->second.at;
  if (row.event == "expiry")
    AddLate(found->second, "never delivered: its time ran out");
  else if (row.detail == "undecryptable")
    AddLate(found->second, "could not be opened by its recipient");
  else if (row.event == "receipt" && took > kSlow)
    AddLate(found->second,
            absl::StrCat("delivered after ", absl::ToInt64Hours(took), " h"));
  pending_.erase(found);
}

void Tally::Add(const TimelineEntry& row) {
  newest_ = row.at;
  Cell* const from = At(row.at, row.from);
  if (row.event == "envelope") {
    if (from != nullptr) ++from->sent;
    if (pending_.size() < kPendingMax)
      pending_.try_emplace(row.digest,
                           Pending{row.index, row.at, row.from, row.to});
  } else if (row.event == "receipt") {
    if (from != nullptr)
      ++(row.detail == "delivered" ? from->received : from->undecryptable);
    End(row);
  } else if (row.event == "recall") {
    if (from != nullptr) ++from->recalled;
    End(row);
  } else if (row.event == "expiry") {
    if (from != nullptr) ++from->expired;
    End(row);
  } else if (row.event == "erasure" && from != nullptr) {
    ++from->erasures;
  } else if (row.event == "anchor" && from != nullptr) {
    ++from->anchors;
  } else if (row.event == "key_event" && from != nullptr) {
    ++from->key_events;
  }
}

void Tally::Finish() {
  std::vector<Pending> waiting;
  for (const auto& [digest, pending] : pending_)
    if (newest_ - pending.at > kSlow) waiting.push_back(pending);
  std::sort(waiting.begin(), waiting.end(),
            [](const Pending& a, const Pending& b) { return a.leaf < b.leaf; });
  for (const Pending& pending : waiting)
    AddLate(pending,
            absl::StrCat("still waits after ",
                         absl::ToInt64Hours(newest_ - pending.at), " h"));
}

}  // namespace amparo::auditor

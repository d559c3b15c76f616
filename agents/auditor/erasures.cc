#include "agents/auditor/erasures.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/envelope/limits.h"

namespace amparo::auditor {
namespace {

// The broker's rule, by its own clock; the entries' times are later by a
// little.
const absl::Duration kOpenerAfter = absl::Hours(30 * 24) - kCreatedAfter;

const LeafSet& SetOf(const Erasures::Sets& sets,
                     const std::optional<MemberId>& member) {
  static const auto* none = new LeafSet;
  const auto found = member.has_value() ? sets.find(*member) : sets.end();
  return found == sets.end() ? *none : found->second;
}

}  // namespace

void Erasures::OnErasure(LeafIndex leaf, absl::Time time,
                         const MemberId& member, bool as_opener,
                         const std::vector<LeafIndex>& leaves) {
  LeafSet& asked = state_.asked[member];
  auto& young = state_.young[member];
  while (!young.empty() && young.front().first + kOpenerAfter <= time)
    young.pop_front();
  const auto is_young = [&](LeafIndex one) {
    return std::any_of(young.begin(), young.end(), [&](const auto& request) {
      return request.second.Contains(one);
    });
  };
  // Requests of one second are one: so they are written down.
  if (young.empty() || young.back().first != time)
    young.emplace_back(time, LeafSet());
  for (const LeafIndex one : leaves) {
    if (one >= leaf) break;
    if (asked.Contains(one)) {
      if (as_opener && !is_young(one)) {
        state_.opener[member].Add(one);
        by_opener_.Add(one);
      }
      continue;
    }
    (named_.Contains(one) ? twice_ : named_).Add(one);
    asked.Add(one);
    young.back().second.Add(one);
  }
  if (young.back().second.size() == 0) young.pop_back();
}

void Erasures::Restore(State state) {
  state_ = std::move(state);
  for (const auto& [member, asked] : state_.asked) {
    const LeafSet again = Select({&named_, &asked},
                                 [](const auto& in) { return in[0] && in[1]; });
    twice_ = Select({&twice_, &again}, [](const auto&) { return true; });
    named_ = Select({&named_, &asked}, [](const auto&) { return true; });
  }
  for (const auto& [member, opener] : state_.opener)
    by_opener_ =
        Select({&by_opener_, &opener}, [](const auto&) { return true; });
}

void Erasures::Add(Excuse excuse) {
  if (excuses_.size() == kExcusesMax)
    ++unjudged_[excuse.step];
  else
    excuses_.push_back(std::move(excuse));
}

LeafSet Erasures::MayBe(const LeafSet& unopened, const Ends& ends) const {
  const auto& [from, to] = ends;
  // One end that is known: the other is somebody else.
  const LeafSet& first = from.has_value() ? SetOf(state_.asked, from) : named_;
  const LeafSet& second = to.has_value() ? SetOf(state_.asked, to) : twice_;
  const bool anybody = !from.has_value() && !to.has_value();
  const LeafSet& opener = anybody ? by_opener_ : SetOf(state_.opener, from);
  return Select(
      {&unopened, &named_, &first, &second, &opener, &SetOf(state_.opener, to)},
      [](const std::vector<bool>& in) {
        // What nobody named at all is a finding of its own.
        return in[0] && (!in[1] || (in[2] && in[3]) || in[4] || in[5]);
      });
}

void Erasures::Finish(const LeafSet& unopened, Report& report) {
  std::map<Ends, LeafSet> known;
  for (Excuse& excuse : excuses_) {
    const Ends ends{excuse.from, excuse.to};
    auto found = known.find(ends);
    if (found == known.end())
      found = known.emplace(ends, MayBe(unopened, ends)).first;
    if (found->second.CountWithin(excuse.begin, excuse.end, excuse.needed) <
        excuse.needed)
      report.Add(excuse.step, std::move(excuse.finding));
  }
  excuses_.clear();
  for (const auto& [step, count] : unjudged_)
    report.Skip(step, absl::StrCat(count,
                                   " entries that lack others are not judged: "
                                   "too much was erased"));
}

void Erasures::LeaveOpen(Report& report) {
  std::map<Step, uint64_t> unjudged = std::move(unjudged_);
  for (const Excuse& excuse : excuses_) ++unjudged[excuse.step];
  excuses_.clear();
  for (const auto& [step, count] : unjudged)
    report.Skip(step, absl::StrCat(count,
                                   " entries that lack others are not judged: "
                                   "those may be among the entries that are "
                                   "not opened here"));
}

}  // namespace amparo::auditor

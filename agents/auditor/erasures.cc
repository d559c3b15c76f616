#include "agents/auditor/erasures.h"

#include <algorithm>
#include <utility>

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
  excuses_ = std::move(state_.excuses);
  state_.excuses.clear();
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

void Erasures::Add(Excuse excuse, Report& report) {
  if (excuses_.size() == kExcusesMax)
    report.Add(excuse.step, std::move(excuse.finding));
  else
    excuses_.push_back(std::move(excuse));
}

LeafSet Erasures::MayBe(const LeafSet& unopened, const Ends& ends,
                        bool unnamed) const {
  const auto& [from, to] = ends;
  // One end that is known: the other is somebody else.
  const LeafSet& first = from.has_value() ? SetOf(state_.asked, from) : named_;
  const LeafSet& second = to.has_value() ? SetOf(state_.asked, to) : twice_;
  const bool anybody = !from.has_value() && !to.has_value();
  const LeafSet& opener = anybody ? by_opener_ : SetOf(state_.opener, from);
  return Select(
      {&unopened, &named_, &first, &second, &opener, &SetOf(state_.opener, to)},
      [unnamed](const std::vector<bool>& in) {
        // What nobody named at all is a finding of its own.
        return in[0] &&
               ((unnamed && !in[1]) || (in[2] && in[3]) || in[4] || in[5]);
      });
}

void Erasures::Finish(const LeafSet& unopened, Report& report) {
  std::map<std::pair<Ends, bool>, LeafSet> known;
  const auto may_be = [&](const Ends& ends, bool unnamed) -> const LeafSet& {
    auto found = known.find({ends, unnamed});
    if (found == known.end())
      found =
          known
              .emplace(std::pair(ends, unnamed), MayBe(unopened, ends, unnamed))
              .first;
    return found->second;
  };
  const auto excused = [&](const Excuse& excuse, bool unnamed) {
    return may_be({excuse.from, excuse.to}, unnamed)
               .CountWithin(excuse.begin, excuse.end, excuse.needed) >=
           excuse.needed;
  };
  // Requests are only added: what these explain they always will. An entry that
  // nobody named yet may still be named by one end alone.
  std::erase_if(excuses_, [&](const Excuse& excuse) {
    return !excuse.ends && excused(excuse, false);
  });
  std::stable_partition(excuses_.begin(), excuses_.end(),
                        [](const Excuse& excuse) { return !excuse.ends; });
  std::vector<Excuse*> ends;
  for (Excuse& excuse : excuses_) {
    if (!excused(excuse, true))
      Fail(excuse, report);
    else if (excuse.ends)
      ends.push_back(&excuse);
    else
      excuse.finding.known = false;
  }
  if (!ends.empty()) SettleEnds(std::move(ends), may_be({}, true), report);
  state_.excuses = std::move(excuses_);
  excuses_.clear();
}

void Erasures::Fail(Excuse& excuse, Report& report) {
  report.Add(excuse.step, excuse.finding);
  excuse.finding.known = true;
}

void Erasures::SettleEnds(std::vector<Excuse*> ends, const LeafSet& may_be,
                          Report& report) {
  // Those first that have the least to choose from.
  std::stable_sort(
      ends.begin(), ends.end(), [](const Excuse* a, const Excuse* b) {
        return std::pair(a->end, a->begin) < std::pair(b->end, b->begin);
      });
  uint64_t ended = state_.ended;
  std::optional<uint64_t> last;  // that was named alone
  uint64_t before = 0;           // in the runs that `run` has passed
  auto run = may_be.runs().begin();
  for (Excuse* excuse : ends) {
    const uint64_t end = excuse->end;
    for (; run != may_be.runs().end() && run->second <= end; ++run)
      before += run->second - run->first;
    const bool within = run != may_be.runs().end() && run->first < end;
    const uint64_t there = before + (within ? end - run->first : 0);
    const bool alone = excuse->begin + 1 == end;
    if (ended >= there || (alone && last == excuse->begin)) {
      Fail(*excuse, report);
      continue;
    }
    excuse->finding.known = false;
    ++ended;
    if (alone) last = excuse->begin;
  }
}

void Erasures::LeaveOpen(Report& report) {
  std::map<Step, uint64_t> unjudged;
  for (const Excuse& excuse : excuses_) ++unjudged[excuse.step];
  excuses_.clear();
  for (const auto& [step, count] : unjudged)
    report.Skip(step, absl::StrCat(count,
                                   " entries that lack others are not judged: "
                                   "those may be among the entries that are "
                                   "not opened here"));
}

}  // namespace amparo::auditor

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "agents/auditor/leaf_set.h"
#include "agents/auditor/report.h"
#include "crypto/merkle.h"
#include "proto/network/member.h"

namespace amparo::auditor {

// Who asked for which openings to be erased (docs/PROTOCOL.md, Erasure), and so
// what a missing one may have been. An envelope's opening goes when both its
// ends asked, or when one asked as case opener 30 days after its first request:
// what one member alone named was no envelope, and is no excuse for a link, a
// receipt, a recall or an expiry that lacks one. Requests may stand after what
// they explain, so that excuses are judged at the end. Memory grows with the
// runs of leaves that were named. One thread at a time.
class Erasures {
 public:
  using Sets = std::map<MemberId, LeafSet>;
  // Something that fits the log only if at least `needed` entries of those in
  // [begin, end) that have no opening were envelopes from `from` to `to`, or
  // between anybody. Else it is `finding`.
  struct Excuse {
    Step step;
    Finding finding;
    uint64_t begin, end;
    uint64_t needed = 1;
    std::optional<MemberId> from, to;
    bool ends = false;  // it: each envelope once
  };
  // What a later entry is judged by.
  struct State {
    Sets asked;
    Sets opener;  // and 30 days later again, as case opener
    // What of `asked` is younger than that, by the time of the request.
    std::map<MemberId, std::deque<std::pair<absl::Time, LeafSet>>> young;
    // Of an older program, which kept no more: envelopes, by ends that were
    // excused so far.
    uint64_t ended = 0;
    // To be judged again: what no request excuses yet, then all ends.
    std::vector<Excuse> excuses;
  };

  // A valid request by `member`, in entry `leaf`; `leaves` ascending. Those
  // from there on are left out: nothing is erased in advance.
  void OnErasure(LeafIndex leaf, absl::Time time, const MemberId& member,
                 bool as_opener, const std::vector<LeafIndex>& leaves);

  // Beyond kExcusesMax they are findings: nobody fills the memory so that the
  // rest goes unjudged.
  static constexpr size_t kExcusesMax = 500'000;
  void Add(Excuse excuse, Report& report);
  // After the last entry; `unopened`: the entries that have no opening.
  void Finish(const LeafSet& unopened, Report& report);

  // Instead of it, where entries lack openings for another reason than erasure.
  void LeaveOpen(Report& report);

  const State& state() const { return state_; }
  void Restore(State state);

 private:
  using Ends = std::pair<std::optional<MemberId>, std::optional<MemberId>>;
  // What may have been an envelope between these, of `unopened`; `unnamed`:
  // also of what nobody named.
  LeafSet MayBe(const LeafSet& unopened, const Ends& ends, bool unnamed) const;
  // It is a finding, and known from here on.
  static void Fail(Excuse& excuse, Report& report);
  // Of `ends`, all excused by what they name: no more of them than there were
  // envelopes to end.
  void SettleEnds(std::vector<Excuse*> ends, const LeafSet& may_be,
                  Report& report);

  State state_;
  LeafSet named_, twice_, by_opener_;  // by anybody, by two, as case opener
  std::vector<Excuse> excuses_;
};

}  // namespace amparo::auditor

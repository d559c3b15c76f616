#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/merkle.h"
#include "proto/network/charter.h"
#include "proto/network/suspension.h"

namespace amparo {

// Who was an active member where in the log: by the charters, and by the
// suspensions of two governance keys. A pure fold in leaf order, the same for
// broker, agents and auditor; it forgets nothing, so that whoever replays late
// judges as the others did. Copies are cheap: they share all of it.
// Thread-compatible.
class Standings {
 public:
  // The charter logged at `leaf` counts for later leaves. What it says of a
  // member whose `since` it moves on to the time of a running suspension, or
  // later, is the committee's answer to it: the suspension is lifted.
  void SetCharter(const Charter& charter, LeafIndex leaf);

  // Applies the suspension logged at `leaf`. What is refused changes nothing:
  // INVALID_ARGUMENT malformed; PERMISSION_DENIED of another network or not
  // signed by two who may; FAILED_PRECONDITION made under another charter, of a
  // member that is not active, over, for later, within 30 days of the last, or
  // more than a third of the members at one time.
  absl::Status Suspend(absl::string_view document,
                       const AcceptedCharter& charter, LeafIndex leaf,
                       absl::Time time);
  // The same checks without a change.
  absl::Status CheckSuspension(absl::string_view document,
                               const AcceptedCharter& charter,
                               absl::Time time) const;

  // Whether `member` was active for an entry at `leaf` of time `at`.
  bool WasActive(const MemberId& member, LeafIndex leaf, absl::Time at) const;
  // Whether a charter logged after `leaf` says that what the member sent at
  // `at` was not to be believed any more (`since` before that charter's leaf).
  bool IsDisowned(const MemberId& member, LeafIndex leaf, absl::Time at) const;

  // Until when two governance keys keep `member` from the network, if they do
  // at `now`, after everything folded so far.
  std::optional<absl::Time> SuspendedUntil(const MemberId& member,
                                           absl::Time now) const;
  // `charter` as it stands at `now`: whom two governance keys suspended is
  // suspended in it. nullptr when that changes nothing.
  std::shared_ptr<const Charter> Adjust(const Charter& charter,
                                        absl::Time now) const;

 private:
  // What one charter said, until another says something else.
  struct Spell {
    LeafIndex leaf;
    MemberStatus status;
    absl::Time since;
  };
  struct Stop {
    LeafIndex leaf;
    absl::Time at;
    absl::Time until;
    std::optional<LeafIndex> lifted;

    bool Holds(absl::Time now) const { return !lifted && now < until; }
  };
  struct Record {
    std::vector<Spell> spells;
    std::vector<Stop> stops;
  };
  using Records = std::map<MemberId, Record>;

  absl::StatusOr<Suspension> Examine(absl::string_view document,
                                     const AcceptedCharter& charter,
                                     absl::Time time) const;
  absl::Status CheckShare(const Charter& charter, absl::Time time) const;
  const Record* Find(const MemberId& member) const;

  std::shared_ptr<const Records> records_ = std::make_shared<const Records>();
};

}  // namespace amparo

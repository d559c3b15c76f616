#pragma once

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/peer_book.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "proto/content/case_state.h"
#include "proto/network/member.h"

namespace amparo::agent {

// Whether a row stays out of a backup: the keys that sign and open mail, what
// hangs on them, and what guards one moment only.
bool StaysBehind(absl::string_view key);

// What an agent still owes after it came back from a backup (docs/PROTOCOL.md,
// Restored agents): each peer is asked for what it sent since, and until it
// answered, nothing of a case shared with it is shown or sent; and this agent
// witnesses nothing before others have. Rows beside those of the other books.
// Thread-safe.
class Restored {
 public:
  explicit Restored(KeyValue& kv) : kv_(kv) {}  // must outlive this

  // Once, on rows that came from a backup, before any other book opens: what
  // was under way is a draft again, and all that is owed is noted. In one step:
  // cut off, it may be called again.
  absl::Status Begin(absl::Time now);
  // When that was; nullopt where nothing was restored, or all is settled.
  std::optional<absl::Time> At() const;

  // Notes once which links of which peers are missing since the backup, when
  // the log shows who they are: the link book then asks for them.
  absl::Status NoteMissing(const Peers& peers, const MemberId& self);
  // Puts away the peers that have answered. Call after mail was taken in.
  absl::Status SettleAnswered();
  // Rings for each peer that has not answered two days after the restore
  // (alarm "unanswered"), until it does, or GoOnWithout it.
  void RingForUnanswered(Alarms& alarms, absl::Time now) const;
  // A person called `peer` and knows what it would answer: nothing waits for it
  // any more, and its alarm ends. NOT_FOUND when that does not ring.
  absl::Status GoOnWithout(const MemberId& peer, Alarms& alarms);
  // Whether `peer` still owes an answer; all do before NoteMissing.
  bool AwaitsAnswer(const MemberId& peer) const;
  std::vector<MemberId> Awaited() const;
  // Whose answer a case waits for that was opened before the restore.
  std::optional<MemberId> AwaitedFor(const CaseState& state,
                                     const MemberId& self) const;

  // Since when nothing may be cosigned; nullopt: it may.
  std::optional<absl::Time> NoWitnessSince() const;
  absl::Status WitnessAgain();

 private:
  KeyValue& kv_;
};

}  // namespace amparo::agent

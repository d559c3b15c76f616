#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "crypto/sd_jwt.h"
#include "proto/content/case_event.h"
#include "proto/content/case_state.h"
#include "proto/content/section.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo::agent {

// The content behind a document event: what was signed, and the disclosures
// that this agent holds (the issuer all, a recipient its own).
struct Content {
  std::string document;                    // issuer-signed JWT
  std::map<Slot, Disclosure> disclosures;  // erased ones are gone
};

// What one member's events weigh, as they are stored.
struct Share {
  size_t events = 0, bytes = 0;
};
// More than any case needs of one peer, and all cases together: all of it is in
// memory, and each event takes longer than the last.
inline constexpr size_t kEventsOfPeerMax = 2000;
inline constexpr size_t kEventBytesOfPeerMax = size_t{16} << 20;
inline constexpr size_t kAllEventBytesOfPeerMax = size_t{1} << 30;

// A case at one moment. Immutable.
struct Case {
  CaseState state;
  std::vector<CaseEvent> events;  // in the order in which they were stored
  std::map<MemberId, Share> shares;  // notes not counted
};

// Of an event, by its id and who sent it: a peer may choose any id.
using ContentId = std::pair<EventId, MemberId>;

// What one decision changes, all or nothing.
struct CaseChange {
  // An event with the (id, from, to) of a stored one takes its place
  // (InPlaceOf): an own event gets its slots when it is sealed, its leaf when
  // it is logged. Notes (DeliveryNoted) are always added.
  std::vector<CaseEvent> events;
  std::map<ContentId, Content> contents;  // replaces what is stored under it
  Batch rows;  // of other books (outbox, intake), written in the same step
};

// Every case that this institution knows, as its events and their contents.
// The agent's only writer of cases: a decision is taken on the state and
// written in one step, one at a time, as the broker's ledger does. Thread-safe.
class CaseBook {
 public:
  // Folds all stored cases. `kv`, encrypted at rest, must outlive the book.
  static absl::StatusOr<std::unique_ptr<CaseBook>> Open(KeyValue& kv, MemberId self);

  // Runs `decide` on the case as it is (null: not known yet) and writes what it
  // answers; its error is returned and changes nothing. INVALID_ARGUMENT (code
  // "storage"), and nothing is written, for an event that the next start could
  // not read. `decide` may not call this book. Returns the case afterwards.
  using Decision = std::function<absl::StatusOr<CaseChange>(const Case* current)>;
  absl::StatusOr<std::shared_ptr<const Case>> Change(const CaseId& id,
                                                     const Decision& decide);

  // What the events of `member` weigh in all cases.
  Share ShareOf(const MemberId& member) const;

  // Null when the case is not known.
  std::shared_ptr<const Case> Find(const CaseId& id) const;
  std::vector<std::shared_ptr<const Case>> All() const;
  // The case of a referral or grant. Null when there is none.
  std::shared_ptr<const Case> FindByReferral(const ReferralKey& key) const;
  std::shared_ptr<const Case> FindByGrant(const GrantKey& key) const;

  // Whole ids or unique prefixes of 4 or more characters after the letter.
  // NOT_FOUND (code "not_found"), INVALID_ARGUMENT (code "ambiguous_id"). Ids
  // are random: where a peer took one that is used, this institution's own
  // comes first, and of two peers' the text must say whose: "ID@MEMBER".
  absl::StatusOr<ReferralKey> ResolveReferral(absl::string_view text) const;
  absl::StatusOr<GrantKey> ResolveGrant(absl::string_view text) const;
  absl::StatusOr<CaseId> ResolveCase(absl::string_view text) const;

  // NOT_FOUND when the event has no content here, or no more.
  absl::StatusOr<Content> ContentOf(const CaseId& id, const EventId& event,
                                    const MemberId& from) const;

  // What was erased of the contents of `id` leaves the disk.
  absl::Status Purge(const CaseId& id);

  // Grows with every change; waits at most `timeout` for one beyond `seen`.
  uint64_t revision() const;
  uint64_t WaitBeyond(uint64_t seen, absl::Duration timeout) const;

  const MemberId& self() const { return self_; }

 private:
  CaseBook(KeyValue& kv, MemberId self) : kv_(kv), self_(std::move(self)) {}
  absl::Status Load();
  void Count(const Case* before, const Case& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Index(const Case& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  KeyValue& kv_;
  const MemberId self_;
  Mutex writing_;  // held over the disk: the one writer
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::map<CaseId, std::shared_ptr<const Case>> cases_ ABSL_GUARDED_BY(mutex_);
  std::map<ReferralKey, CaseId> referrals_ ABSL_GUARDED_BY(mutex_);
  std::map<GrantKey, CaseId> grants_ ABSL_GUARDED_BY(mutex_);
  std::map<MemberId, Share> shares_ ABSL_GUARDED_BY(mutex_);
  uint64_t revision_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace amparo::agent

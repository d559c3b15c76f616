#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/content/event_kind.h"
#include "proto/content/section.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo::agent {

// Something to send to one member, not sealed yet: policy, prekey and link are
// decided right before it leaves, so a revocation in between counts.
struct Draft {
  uint64_t seq = 0;  // order of sending; set by the outbox
  MemberId recipient;
  EventKind kind = EventKind::kReferral;
  std::optional<CaseId> case_id;  // none for link events
  EventId event_id;
  // Document events: which sections to ask policy for. Their document is the
  // Content under `content_of`, which for a later disclosure is an earlier
  // event's.
  std::set<Section> sections;
  std::optional<EventId> content_of;
  // All other events: the signed document; grants are SD-JWTs whose disclosures
  // are chosen for the recipient at sealing.
  std::string document;
  uint32_t attempts = 0;  // times it was sealed
  // Sent once more because its recipient asked or could not open it.
  bool again = false;
};

// A sealed envelope on its way: the same bytes until the broker answered.
struct InFlight {
  Draft draft;
  Envelope envelope;
};

// What was sent, for receipts, recalls and resends.
struct Sent {
  Draft draft;  // to seal it anew where it got lost
  EnvelopeId envelope_id;
  Digest sender_kid;
  uint64_t link_seq = 0;
  LeafIndex leaf;
  absl::Time expires;  // as its header says; before, no broker may end it
  // Sent once more since: kept for a late receipt, without its document.
  bool again = false;
  bool undecryptable = false;  // its recipient says so: it never came
};

// The end of the chain of links to one recipient.
struct LinkHead {
  Digest kid;
  uint64_t seq = 0;
  Digest digest;
};

// What is to be sent, what is on its way, what was sent: rows that other books'
// changes carry along (CaseChange::rows), so that nothing is decided without
// being sent, or sent twice. Thread-safe.
class Outbox {
 public:
  // `drafts_max`: how many officers may leave waiting.
  static absl::StatusOr<std::unique_ptr<Outbox>> Open(KeyValue& kv,
                                                      size_t drafts_max);

  // Adds the draft to `rows` and gives it its place in the order.
  void Add(Draft draft, Batch& rows);
  void Remove(const Draft& draft, Batch& rows) const;
  // Drafts in order of sending.
  absl::StatusOr<std::vector<Draft>> Drafts() const;
  // Whether it is still there: nobody took it back since it was read.
  absl::StatusOr<bool> Waits(const Draft& draft) const;
  size_t size() const;
  // RESOURCE_EXHAUSTED (code "too_large") when so many of officers wait that they
  // must not add more. What answers, recalls or revokes is always taken; what a
  // peer can bring about by its own mail is not counted.
  absl::Status CheckRoom() const;

  // One envelope is under way to a recipient at a time.
  absl::StatusOr<std::optional<InFlight>> UnderWay(const MemberId& recipient) const;
  absl::StatusOr<bool> IsUnderWay(const Digest& envelope) const;
  void PutUnderWay(const InFlight& in_flight, const LinkHead& head, Batch& rows) const;
  void ClearUnderWay(const MemberId& recipient, Batch& rows) const;
  absl::StatusOr<std::optional<LinkHead>> HeadOf(const MemberId& recipient) const;

  // Recalls that the courier takes to the broker: envelope digest and token.
  struct PendingRecall {
    Digest envelope;
    std::string token;
  };
  void AddRecall(const PendingRecall& recall, Batch& rows) const;
  void RemoveRecall(const Digest& envelope, Batch& rows) const;
  absl::StatusOr<std::vector<PendingRecall>> Recalls() const;
  // Notes for good that this event was taken back from `recipient`, whatever
  // becomes of the recalls: its envelopes at the broker are not all there is.
  void PutWithdrawn(const EventId& event, const MemberId& recipient,
                    Batch& rows) const;
  absl::StatusOr<bool> IsWithdrawn(const EventId& event,
                                   const MemberId& recipient) const;

  // A referral that was withdrawn while it was not known to have come: where it
  // came all the same, its recipient is to be asked to cancel it.
  struct CancelDue {
    CaseId case_id;
    ReferralId referral;
    MemberId recipient;
    absl::Time until;  // after it, nobody waits for word of it
  };
  void AddCancelDue(const CancelDue& due, Batch& rows) const;
  void RemoveCancelDue(const CancelDue& due, Batch& rows) const;
  absl::StatusOr<std::vector<CancelDue>> CancelsDue() const;
  absl::StatusOr<bool> IsCancelDue(const ReferralId& referral,
                                   const MemberId& recipient) const;

  void PutSent(const Digest& envelope, const Sent& sent, Batch& rows) const;
  // `sent` goes out once more, and this envelope is not asked for any more.
  void Supersede(const Digest& envelope, Sent sent, Batch& rows) const;
  // NOT_FOUND for an envelope this agent did not send.
  absl::StatusOr<Sent> SentAs(const Digest& envelope) const;
  // Every envelope in which this event went to `recipient`.
  absl::StatusOr<std::vector<Digest>> EnvelopesOf(const EventId& event,
                                                  const MemberId& recipient) const;
  // Calls `visit` for all that was ever sent. It may not call this outbox.
  absl::Status VisitSent(
      const std::function<void(const Digest& envelope, Sent sent)>& visit) const;
  // What went to `recipient` under links `first` to `last` of key `kid`: the
  // first `count_max` of them, in order.
  absl::StatusOr<std::vector<Sent>> SentIn(const MemberId& recipient, const Digest& kid,
                                           uint64_t first, uint64_t last,
                                           size_t count_max) const;

 private:
  Outbox(KeyValue& kv, size_t drafts_max) : kv_(kv), drafts_max_(drafts_max) {}

  KeyValue& kv_;
  const size_t drafts_max_;
  std::atomic<uint64_t> next_seq_ = 1;
};

}  // namespace amparo::agent

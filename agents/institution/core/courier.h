#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/anchors.h"
#include "agents/institution/core/broker_port.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/heartbeats.h"
#include "agents/institution/core/key_ring.h"
#include "agents/institution/core/log_watch.h"
#include "agents/institution/core/network_time.h"
#include "agents/institution/core/outbox.h"
#include "agents/institution/core/packer.h"
#include "agents/institution/core/peer_book.h"
#include "agents/institution/core/promises.h"
#include "agents/institution/core/restored.h"
#include "base/clock.h"

namespace amparo::agent {

// Takes drafts to the broker: decides again, seals, submits, until the broker
// signed for it; an outage, a crash or a lost answer in between sends the same
// bytes again. Drafts to one recipient leave in their order; one recipient that
// cannot be reached holds up nobody else. While NetworkTime forbids sealing,
// drafts wait; and after a restore those with content wait for what the parties
// of their case answer. A broker whose log is not followed gets nothing
// (LogWatch::MayGive). One thread at a time.
class Courier {
 public:
  // All must outlive the courier.
  struct Books {
    CaseBook& cases;
    Outbox& outbox;
    const PeerBook& peers;
    const KeyRing& keys;
    const LogWatch& log;
    const Packer& packer;
    const Promises& promises;
    Anchors& anchors;
    KeyValue& kv;
    BrokerPort& broker;
    const Clock& clock;
    NetworkTime& time;
    const Restored& restored;
    const Heartbeats& heartbeats;
  };
  explicit Courier(const Books& books) : books_(books) {}

  // Sends all that can be sent now. UNAVAILABLE when the broker is away: call
  // again later; drafts that wait for a recipient's key are no error.
  absl::Status Run();

 private:
  static absl::Status NotFollowed();
  static bool IsTransient(const absl::Status& status);
  CaseEvent NoteOf(const Draft& draft, Delivery delivery,
                   absl::string_view code, absl::Time at) const;

  absl::Status SendAllTo(const MemberId& recipient,
                         const std::vector<Draft>& drafts);
  enum class Fate { kSealed, kWaits, kHeld, kGivenUp };
  // Seals into `sealed` and stores it as under way.
  absl::StatusOr<Fate> SealDraft(Draft draft, std::optional<InFlight>& sealed);
  // Dates the case's own grants: before anything is disclosed by them.
  absl::Status AnchorGrants(const CaseState& state);
  absl::StatusOr<std::optional<PayloadOrigin>> AnchorFor(
      const Draft& draft, const std::optional<Content>& content);
  // False: it lay so long that its date no longer fits; it is a draft again.
  absl::StatusOr<bool> Submit(const InFlight& in_flight);
  absl::Status Submitted(const InFlight& in_flight, const LeafReceipt& receipt);
  // The broker refused these bytes for good: seal anew or give up.
  absl::Status Refused(const InFlight& in_flight, const absl::Status& why);
  absl::Status GiveUp(const Draft& draft, absl::string_view code, Batch rows);
  // True when a recall was asked for before the broker's answer came, and the
  // envelope is taken back or was never there.
  // PERMISSION_DENIED when the recall is refused: then it waits.
  absl::StatusOr<bool> TakenBack(const InFlight& in_flight);
  absl::Status TakeRecalls();
  // Asks who has what was withdrawn to cancel it.
  absl::Status AskToCancel();
  absl::StatusOr<LeafReceipt> Recall(Outbox::PendingRecall recall);
  absl::Status KeepRecalled(const Digest& envelope, const LeafReceipt& receipt,
                            Batch& rows) const;
  // Unless its recipient signed that it came.
  absl::Status NoteRecalled(const Draft& draft, Batch rows);
  // True, and the draft goes with `change`, when its document was taken back or
  // ended otherwise: whoever asks for it once more gets nothing.
  absl::StatusOr<bool> DropWithdrawn(const Draft& draft, const Case* entry,
                                     CaseChange& change) const;

  const Books books_;
};

}  // namespace amparo::agent

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/institution/core/access_log.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/broker_port.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/heartbeats.h"
#include "agents/institution/core/held_mail.h"
#include "agents/institution/core/key_ring.h"
#include "agents/institution/core/link_book.h"
#include "agents/institution/core/log_watch.h"
#include "agents/institution/core/network_time.h"
#include "agents/institution/core/outbox.h"
#include "agents/institution/core/packer.h"
#include "agents/institution/core/peer_book.h"
#include "agents/institution/core/promises.h"
#include "agents/institution/core/refused_mail.h"
#include "agents/institution/core/restored.h"
#include "agents/institution/core/waiting_mail.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "proto/content/inbound.h"
#include "proto/envelope/receipt.h"

namespace amparo::agent {

// Takes in what the broker hands over, in leaf order: verifies, folds into
// cases, answers with signed receipts (docs/PROTOCOL.md, Receiving). Fails
// closed: what does not pass is quarantined, never shown. Thread-safe: one call
// at a time has its turn, disk and broker included.
class Intake {
 public:
  // All must outlive the intake.
  struct Books {
    CaseBook& cases;
    Outbox& outbox;
    HeldMail& held;
    const PeerBook& peers;
    const KeyRing& keys;
    const LogWatch& log;
    const Packer& packer;
    const Promises& promises;
    Alarms& alarms;
    AccessLog& access_log;
    KeyValue& kv;
    BrokerPort& broker;
    const Clock& clock;
    const NetworkTime& time;
    Restored& restored;
    const Heartbeats& heartbeats;
    std::function<void()> wake_courier;
  };
  static absl::StatusOr<std::unique_ptr<Intake>> Open(const Books& books);

  // Takes `item`, whose leaf must be proven (FAILED_PRECONDITION otherwise).
  // When OK, what it changes, the cursor and the receipt due are on disk, or it
  // waits for its sender's keys. An error other than that: the agent's own disk
  // or keys; try again.
  absl::Status Take(const MailboxItem& item);

  // Sends receipts that are due, unless the clock is wrong. UNAVAILABLE: again
  // later.
  absl::Status SendReceipts();
  // Asks for what is missing since a minute, or since the backup that this
  // agent came back from; sends once more what peers asked for.
  absl::Status AskForMissing();
  // Destroys what a revocation that was taken in left uncovered, and writes
  // what it took back in the access log, where that was interrupted.
  // UNAVAILABLE: again later.
  absl::Status EraseUncovered();
  // Takes in what waited for witnesses to confirm its sender's keys, or waited
  // for as long as it could have come. An error: some of it still waits.
  absl::Status TakeWaiting();
  // Takes in what was held for a key that is trusted by now. An error: some of
  // it still waits; try again.
  absl::Status ReleaseHeld();

  // The broker was rebuilt when the log had `to` entries, and may have lost what
  // was logged from `from` on: what went out then and was not delivered is to
  // be sent once more. Once for each `to`, and once an hour; not before the log
  // has so many, and this agent a key to sign with: then at a later call.
  absl::Status SendLostAgain(LeafIndex from, TreeSize to);

  // Forgets ids of envelopes whose life ended over a day ago: by then a replay
  // fails for its date. Some at a time.
  absl::Status ForgetSeen();

  // Last leaf taken; nullopt before the first.
  std::optional<LeafIndex> cursor() const;
  // Messages that were refused and are kept.
  uint32_t quarantined() const { return refused_->size(); }
  // Messages that wait for their senders' keys; and what they are sealed to.
  uint32_t waiting() const { return waiting_->size(); }
  std::set<Digest> PrekeysNeeded() const { return waiting_->Prekeys(); }

 private:
  Intake(const Books& books, std::unique_ptr<WaitingMail> waiting,
         std::unique_ptr<RefusedMail> refused)
      : books_(books),
        links_(books.kv),
        waiting_(std::move(waiting)),
        refused_(std::move(refused)) {}

  // Each writes `rows` with what it decides. ABORTED, and nothing was written:
  // it cannot be judged before the quorum that its sender's keys wait for.
  absl::Status Judge(const MailboxItem& item, Batch rows);
  absl::Status TakeEnvelope(const LeafReceipt& leaf, const Envelope& envelope,
                            Batch rows);
  absl::Status TakeReceipt(const LeafReceipt& leaf, const std::string& token,
                           Batch rows);
  void RaiseNotSent(const Peers& peers, const LeafReceipt& leaf,
                    const Receipt& receipt, const std::string& token) const;
  absl::Status TakeRecalled(const LeafReceipt& leaf,
                            const RecalledNotice& notice, Batch rows);
  absl::StatusOr<SignerRecord> RecalledSigner(const Header& header,
                                              const Digest& recalled_by,
                                              const LeafReceipt& leaf,
                                              const Peers& peers) const;
  absl::Status LetGo(const MemberId& sender, const Digest& envelope,
                     absl::Time at, Batch rows);
  absl::Status Close(const CaseEvent& event, absl::Time at,
                     CaseChange& change) const;
  absl::Status TakeExpired(const LeafReceipt& leaf, const Digest& digest,
                           Batch rows);
  absl::Status KeepWaiting(const MailboxItem& item, Batch rows);

  // A message that was opened, or held and taken out again.
  struct Opened {
    Header header;
    Digest digest;
    LeafIndex leaf;
    absl::Time leaf_time;
    Payload payload;
  };

  // The receiving order, up to the case.
  absl::StatusOr<InboundEvent> Verify(const Opened& message,
                                      const Peers& peers) const;
  absl::Status TakeIn(const Opened& message, InboundEvent inbound,
                      const Peers& peers, Batch rows);
  absl::Status LeaveForLater(const LeafReceipt& leaf, const Header& header,
                             Batch rows);
  absl::Status AskForOverflow(const Peers& peers);
  absl::Status Hold(Opened message, Bytes header_bytes,
                    const InboundEvent& inbound, Batch rows);
  // `trust`: in the key it came under; when not OK, it is lost.
  absl::Status Release(LeafIndex leaf, const absl::Status& trust,
                       const Peers& peers);
  absl::Status CheckTrust(const Header& header, LeafIndex leaf, absl::Time at,
                          const Peers& peers) const;
  absl::Status CheckOutside(const LeafReceipt& leaf, const Envelope& envelope,
                            const Peers& peers) const;
  bool StillWaits(const Peers& peers, const MemberId& sender, LeafIndex leaf,
                  absl::Time leaf_time) const;
  absl::Status CheckNotWaiting(const Peers& peers, const MemberId& sender,
                               const LeafReceipt& leaf) const;
  void CheckSeen(const Opened& message);
  absl::Status PlaceLink(const Header& header, ByteView header_bytes,
                         const Digest& digest, const Peers& peers, Batch& rows);
  absl::Status CheckReferralId(const CaseEvent& event) const;
  absl::Status Fold(InboundEvent inbound, const Payload& payload,
                    const Peers& peers, Batch rows);
  absl::Status TakeLinkEvent(const EventDocument& event, Batch rows);
  absl::Status NoteAsked(const EventDocument& event, Batch& rows) const;
  absl::Status AnswerAsked();
  absl::Status Resend(const MemberId& to, const Digest& kid, uint64_t first,
                      uint64_t last, std::set<EventId>& waiting, Batch& rows);
  static void AddErasureDue(const CaseEvent& event, const Digest& grant,
                            Batch& rows);
  absl::Status EraseDue();
  // Signed by nobody, or not for us: no receipt honours it.
  absl::Status Refuse(const LeafReceipt& leaf, const Envelope& envelope,
                      const absl::Status& why, Batch rows);
  // What its sender signed for us. `payload`: null where it did not open.
  // Without room nothing is kept, so nothing is acknowledged.
  absl::Status RefuseSigned(const LeafReceipt& leaf, const Envelope& envelope,
                            const Payload* payload, const absl::Status& why,
                            Batch rows);
  absl::Status KeepNothing(const LeafReceipt& leaf, const Envelope& envelope,
                           Batch rows);
  // `bytes`: what is kept of it. `proven`: `sender` signed it for us.
  absl::Status Quarantine(LeafIndex leaf, const MemberId& sender, bool proven,
                          ByteView bytes, const absl::Status& why, Batch rows);

  absl::Status NoteDelivery(const Draft& draft, Delivery delivery,
                            const char* code, absl::Time at, Batch rows);
  absl::Status AddLinkEvent(EventKind kind, const MemberId& to,
                            const Digest& kid, uint64_t first, uint64_t last,
                            Batch& rows);
  bool MayBeLost(const Digest& envelope, const Draft& draft) const;
  // Links `first` to `last` of an own chain.
  struct LinkRange {
    uint64_t first = 0, last = 0;
  };
  absl::StatusOr<std::pair<Digest, LinkRange>> SkippedBy(
      const Draft& skip) const;
  absl::Status AddSkips(const MemberId& to, const Digest& kid,
                        std::vector<LinkRange> ranges, Batch& rows);
  // Trouble of this agent, not of the message: nothing is decided by it.
  static bool IsOwnTrouble(const absl::Status& status);
  // What is known of the envelope that came under this id from this sender.
  absl::StatusOr<std::optional<Bytes>> SeenRow(const Header& header,
                                               const Digest& digest) const;
  // Notes that this envelope was here, for as long as it could come again, and
  // what was signed for it.
  static void PutSeen(const Header& header, const Digest& digest, Batch& rows,
                      std::optional<ReceiptKind> receipt = std::nullopt);
  absl::Status AddReceipt(ReceiptKind kind, const Envelope& envelope,
                          LeafIndex leaf, Batch& rows) const;
  KeyLookup KeysAt(const Peers& peers, const MemberId& member, LeafIndex leaf,
                   absl::Time at) const;

  const Books books_;
  Mutex turn_;  // of Take and all that sends, asks and forgets
  LinkBook links_;
  const std::unique_ptr<WaitingMail> waiting_;
  const std::unique_ptr<RefusedMail> refused_;
};

}  // namespace amparo::agent

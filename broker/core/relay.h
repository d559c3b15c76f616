#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "broker/core/admission.h"
#include "broker/core/directory.h"
#include "broker/core/ledger.h"
#include "broker/core/receipt_book.h"
#include "broker/store/store.h"

namespace amparo::broker {

// A mailbox item with the broker's word for its leaf.
struct Delivery {
  LeafReceipt receipt;
  MailboxItem item;
};

// Hands envelopes to their recipients and logs every step. Sees headers, never
// content. `peer` is the member that TLS authenticated. Signatures are checked
// on the caller's thread; answers come as Ledger::Submit says. Thread-safe.
class Relay {
 public:
  // All must outlive the relay.
  Relay(Store& store, const Directory& directory, Admission& admission,
        Ledger& ledger, ReceiptBook& receipts, const Clock& clock);

  // Accepts `envelope`, whose sender is `peer`. The same envelope again gets
  // the first receipt, even when it has grown stale meanwhile. Refusals:
  // admission.h, ledger.h.
  void Accept(const MemberId& peer, std::shared_ptr<const Envelope> envelope,
              Done done);

  // Logs a `delivered` or `undecryptable` receipt of `peer` for an envelope
  // in its mailbox. NOT_FOUND when digest and leaf fit no envelope for it.
  void Acknowledge(const MemberId& peer, std::string token, Done done);

  // Takes an envelope of `peer` back. FAILED_PRECONDITION ("invalid_state")
  // when it is no longer pending.
  void Recall(const MemberId& peer, std::string token, Done done);

  // What concerns `peer`, after `after`; see Store::Mailbox.
  absl::StatusOr<std::vector<Delivery>> Fetch(const MemberId& peer,
                                              std::optional<LeafIndex> after,
                                              uint32_t count, size_t bytes_max);
  // A size of the log up to which nothing for `peer` lies after `after`.
  // FAILED_PRECONDITION ("invalid_state") while something does.
  absl::StatusOr<TreeSize> DrainedTo(const MemberId& peer,
                                     std::optional<LeafIndex> after);

 private:
  absl::StatusOr<Op> AcceptedOp(const Network& network, const MemberId& peer,
                                const std::shared_ptr<const Envelope>& envelope,
                                const Digest& body, const Digest& digest);
  absl::StatusOr<Op> AcknowledgedOp(const Network& network,
                                    const MemberId& peer,
                                    const std::string& token);
  absl::StatusOr<Op> RecalledOp(const Network& network, const MemberId& peer,
                                const std::string& token);

  Store& store_;
  const Directory& directory_;
  Admission& admission_;
  Ledger& ledger_;
  ReceiptBook& receipts_;
  const Clock& clock_;
};

}  // namespace amparo::broker

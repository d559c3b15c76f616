#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "crypto/sign.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/log_entry.h"

namespace amparo::agent {

// What the broker hands to this member, in leaf order.
struct ReceiptNotice {  // about an envelope this member sent
  std::string token;
};
struct RecalledNotice {  // an envelope for this member that its sender took back
  Bytes header;
  Digest body;
  Signature signature;
  std::string token;
};
struct ExpiredNotice {
  Digest digest;
};
// What the broker shows of the log: signed notes.
struct ShownCheckpoint {
  std::string note;       // the newest, with the log's own word when that is
  std::string witnessed;  // the newest that witnesses cosigned; "": none
  // The broker's own word that it was rebuilt at this size, and what it may
  // have lost: from that leaf on. Size 0: never.
  TreeSize rebuilt_to;
  LeafIndex rebuilt_from;
};

struct MailboxItem {
  LeafReceipt receipt;
  std::variant<Envelope, ReceiptNotice, RecalledNotice, ExpiredNotice> event;
};

// The broker as the agent's core sees it: calls that block, answers that are
// untrusted until checked. UNAVAILABLE when it cannot be reached: try again.
// Thread-safe.
class BrokerPort {
 public:
  virtual ~BrokerPort() = default;

  virtual absl::StatusOr<LeafReceipt> Submit(const Envelope& envelope) = 0;
  virtual absl::StatusOr<LeafReceipt> Acknowledge(absl::string_view token) = 0;
  virtual absl::StatusOr<LeafReceipt> Recall(absl::string_view token) = 0;
  virtual absl::StatusOr<LeafReceipt> LogAnchor(const SignedAnchor& anchor) = 0;
  virtual absl::StatusOr<LeafReceipt> LogAccessCheckpoint(absl::string_view note) = 0;
  virtual absl::StatusOr<LeafReceipt> LogErasure(absl::string_view token) = 0;
  virtual absl::StatusOr<LeafIndex> PublishKeyEvent(absl::string_view document) = 0;

  // How far the mailbox is empty behind `after` (nullopt: from the start).
  // FAILED_PRECONDITION while something waits there.
  virtual absl::StatusOr<TreeSize> DrainedTo(std::optional<LeafIndex> after) = 0;

  // Entries from `start` on; at least one, unless there is none.
  virtual absl::StatusOr<std::vector<Bytes>> GetEntries(LeafIndex start,
                                                        uint32_t count) = 0;
  virtual absl::StatusOr<std::string> GetDocument(const Digest& hash) = 0;

  // The newest checkpoint, a signed note with the log's own word when that is.
  virtual absl::StatusOr<std::string> GetCheckpoint() = 0;
  // The one under which a charter came into force, with the cosignatures of the
  // witnesses before it. NOT_FOUND while there is none.
  virtual absl::StatusOr<std::string> GetCharterCheckpoint(uint64_t version) = 0;
  // This member's cosignature, 72 bytes, under the checkpoint of `size`.
  // FAILED_PRECONDITION when nobody waits for it any more.
  virtual absl::Status AddCosignature(TreeSize size, ByteView cosignature) = 0;
  // Both call `visit` on this thread for each message until it returns false,
  // the stream ends (UNAVAILABLE) or StopStreams() is called (CANCELLED).
  virtual absl::Status WatchCheckpoints(
      const std::function<bool(const ShownCheckpoint& shown)>& visit) = 0;
  virtual absl::Status Subscribe(
      std::optional<LeafIndex> after,
      const std::function<bool(MailboxItem item)>& visit) = 0;

  // Ends every stream and call, now and later: the agent is going down.
  virtual void StopStreams() = 0;
};

}  // namespace amparo::agent

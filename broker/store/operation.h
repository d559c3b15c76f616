#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/lifecycle.h"
#include "proto/envelope/log_entry.h"
#include "proto/network/member.h"

// What may be asked of the store: each operation becomes one leaf or is
// refused, whole.

namespace amparo::broker {

// Puts an envelope into its recipient's mailbox. Its name is (sender,
// envelope_id): the same digest again is a replay, another one is refused.
struct Submit {
  std::shared_ptr<const Envelope> envelope;
  Digest digest;                       // EnvelopeDigest
  uint64_t mailbox_envelopes_max = 0;  // refused when so many are pending,
  uint64_t sender_envelopes_max = 0;   // or so many of this sender's
};

// Ends an envelope's stay in the mailbox, if lifecycle.h allows it, and deletes
// its ciphertext. The same event again is a replay.
struct Settle {
  LeafIndex envelope;
  Digest digest;  // of the envelope
  EnvelopeEventKind kind = EnvelopeEventKind::kDelivered;
};

// Nothing but its leaf: anchors, checkpoints of access logs.
struct Date {
  MemberId member;  // whose
};

// Deletes each opening that all its parties have asked to erase, or that
// `member` alone asked for by `alone_if_asked_by` and still wants gone.
struct Erase {
  struct Target {
    LeafIndex leaf;
    std::vector<MemberId> parties;
  };
  MemberId member;  // who asks; one of the parties of each
  std::optional<absl::Time> alone_if_asked_by;
  std::vector<Target> targets;
};

// How long the other end has to answer the case's opener.
inline constexpr absl::Duration kErasureAnswer = absl::Hours(30 * 24);

// Says something in the open. A slot ("charter/2", "key/ong/5") takes one
// content: the same again is a replay, another one is refused.
struct Publish {
  std::string slot;
  std::variant<CharterEntry, KeyEventEntry, SuspensionEntry> content;
  std::string document;  // CharterEntry: kept beside the log, by its hash
};

struct Op {
  std::variant<Submit, Settle, Date, Erase, Publish> action;
  Bytes event;  // EncodeAuditEvent; empty for Publish
  // How many publications the caller had seen when it checked signatures and
  // standing; refused as stale when there are more. nullopt: does not depend.
  std::optional<uint64_t> publications;
  // Only asks for the answer that an earlier, equal operation got: kUnknown
  // when there was none.
  bool replay_only = false;
};

enum class Outcome {
  kApplied,
  kReplayed,    // was applied before: the first leaf again
  kReused,      // another content under a used name
  kWrongState,  // the lifecycle forbids it
  kUnknown,     // no such envelope, or replay_only and never applied
  kMailboxFull,
  kShareFull,  // of the sender, in the recipient's mailbox
  kStale,      // publications: check again
};

// Where an event stands. The salt opens a commitment; 32 bytes, empty for a
// publication.
struct Leaf {
  LeafIndex index;
  LogEntry entry;
  Bytes salt;
};

struct OpResult {
  Outcome outcome = Outcome::kUnknown;
  std::optional<Leaf> leaf;        // kApplied, kReplayed
  std::vector<MemberId> concerns;  // kApplied: whose mailbox got an item
};

}  // namespace amparo::broker

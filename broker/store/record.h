#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/bytes.h"
#include "broker/store/operation.h"
#include "crypto/compact_range.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/envelope/ids.h"
#include "proto/envelope/lifecycle.h"
#include "proto/envelope/log_entry.h"
#include "proto/network/member.h"

// What the store gives back.

namespace amparo::broker {

struct LogHead {
  CompactRange range;  // size and root
  absl::Time time;     // of the last leaf
  uint64_t publications = 0;
};

// An envelope's place and state; stays when its ciphertext is gone.
struct EnvelopeRecord {
  LeafIndex leaf;
  Digest digest;
  EnvelopeId envelope_id;
  MemberId sender;
  MemberId recipient;
  absl::Time expires;
  EnvelopeState state = EnvelopeState::kPending;
};

// Opens the commitment of leaf `leaf`.
struct Opening {
  LeafIndex leaf;
  // Whom it concerns: both ends of an envelope and of what ended its stay, or
  // the one member that signed. Each once.
  std::vector<MemberId> parties;
  Bytes salt;   // 32 bytes
  Bytes event;  // EncodeAuditEvent
};
bool Concerns(const Opening& opening, const MemberId& member);

// Something that concerns a member: an envelope for it; a receipt about one it
// sent; a recall of one for it; an expiry of one of or for it.
struct MailboxItem {
  Leaf leaf;
  AuditEvent event;
  // EnvelopeEvent: what its header heads.
  Bytes enc;
  std::string ciphertext;  // text, so that a message can take it over uncopied
  // RecallEvent: the envelope taken back.
  std::optional<EnvelopeEvent> recalled;
};

// A charter, key event or suspension, in the order of the log.
struct Publication {
  LeafIndex leaf;
  LogEntry entry;
  std::string document;  // CharterEntry: the charter; else empty
};

// An entry as it was logged once, and what else is known of it.
struct LoggedEntry {
  Bytes entry;           // EncodeLogEntry
  std::string document;  // CharterEntry: the charter
  Bytes salt, event;     // what opens a commitment; both empty: lost
};

// What a rebuilt broker may have lost: what came between `from` and `to` may
// not have reached whom it was for.
struct RebuiltRange {
  LeafIndex from;
  TreeSize to;
};

struct InvitationRecord {
  Digest token_hash;
  MemberId member;
  absl::Time until;
  std::optional<Digest> used_for;  // digest of the request that used it up
  // Whether it may bring another identity than the charter names.
  bool new_identity = false;
};

}  // namespace amparo::broker

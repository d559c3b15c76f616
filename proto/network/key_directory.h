#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "crypto/merkle.h"
#include "proto/network/charter.h"
#include "proto/network/key_event.h"

namespace amparo {

// A signing key of a member, from the log.
struct SignerRecord {
  MemberId member;
  VerifyKey key;
  LeafIndex leaf;  // valid for events logged after it
  absl::Time logged_at;
  absl::Time until;
  std::optional<LeafIndex> revoked_at;  // not valid for events after it
  // A key no earlier key of the member vouches for (proto/network/charter.h,
  // trust_delay): the first, and each made by I alone.
  bool vouched = false;
};

struct PrekeyRecord {
  SealingKey key;
  LeafIndex leaf;
  absl::Time logged_at;
  absl::Time until;
};

// All keys that the log's key events named so far: a pure fold over charters
// and key events in leaf order. Broker, agents and auditor run the same one.
// Thread-compatible: callers guard it.
class KeyDirectory {
 public:
  // Replaces what identity keys are trusted: call when the charter logged at
  // `leaf` takes effect, before events of later leaves. Signing keys of a
  // member whose identity key it replaces or removes, or that left, are revoked
  // at `leaf`, its prekeys are gone; a replaced identity key ends a freeze.
  void SetCharter(const AcceptedCharter& charter, LeafIndex leaf);

  // Applies the event of leaf `leaf`. An event that is malformed, badly signed
  // or out of order changes nothing: PERMISSION_DENIED, FAILED_PRECONDITION or
  // INVALID_ARGUMENT. A second, different event for a `seq` freezes the
  // member's keys: DATA_LOSS (code "forked").
  absl::Status Apply(absl::string_view document, LeafIndex leaf, absl::Time time);

  // The same checks without a change: what the broker asks before it logs.
  absl::Status Check(absl::string_view document, absl::Time time) const;

  // The record of `kid` when it is a signing key of `member`, valid for an
  // event at `leaf` and time `at`. PERMISSION_DENIED otherwise.
  absl::StatusOr<SignerRecord> SignerAt(const MemberId& member, const Digest& kid,
                                        LeafIndex leaf, absl::Time at) const;
  // Like SignerAt without a member: who signed it?
  absl::StatusOr<SignerRecord> SignerAt(const Digest& kid, LeafIndex leaf,
                                        absl::Time at) const;

  // Prekeys of `member`, newest first; empty when frozen or none.
  std::vector<PrekeyRecord> Prekeys(const MemberId& member) const;
  // The member and record of a prekey; NOT_FOUND otherwise.
  absl::StatusOr<PrekeyRecord> FindPrekey(const MemberId& member,
                                          const Digest& prekey_id) const;

  // The newest signing key of `member` that is not revoked.
  std::optional<SignerRecord> CurrentSigner(const MemberId& member) const;
  // seq and hash that the member's next event must follow.
  struct Head {
    uint64_t seq = 0;
    Digest hash;
  };
  Head HeadOf(const MemberId& member) const;
  bool IsFrozen(const MemberId& member) const;

 private:
  struct MemberKeys {
    Head head;
    std::vector<SignerRecord> signers;  // oldest first
    std::vector<PrekeyRecord> prekeys;  // oldest first
    std::map<uint64_t, Digest> hashes;  // of every seq, to tell a fork
    bool frozen = false;
  };
  struct Change;
  absl::StatusOr<Change> Examine(absl::string_view document, absl::Time time) const;

  std::optional<AcceptedCharter> charter_;
  std::map<MemberId, MemberKeys> members_;
};

}  // namespace amparo

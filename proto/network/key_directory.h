#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
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
#include "proto/network/standings.h"

namespace amparo {

// A signing key of a member, from the log.
struct SignerRecord {
  MemberId member;
  VerifyKey key;
  LeafIndex leaf;  // valid for events logged after it
  absl::Time logged_at;
  absl::Time until;
  std::optional<LeafIndex> revoked_at;  // not valid for events after it
  // The key that vouched for it; none for the first, and for each made by I
  // alone.
  std::optional<Digest> vouched_by;
  // True when that key was itself past the charter's trust_delay then (never
  // without a quorum, unless there is no delay): else a thief of I could vouch
  // for its second key with its first. See ChainOf.
  bool vouched = false;
};

struct PrekeyRecord {
  SealingKey key;
  LeafIndex leaf;
  absl::Time logged_at;
  absl::Time until;
};

// All keys that the log's key events named so far, and who was a member when: a
// pure fold over charters, key events and suspensions in leaf order. Broker,
// agents and auditor run the same one. Copies are cheap: they share what
// neither changes. Thread-compatible: callers guard it.
class KeyDirectory {
 public:
  // Replaces what identity keys are trusted: call when the charter logged at
  // `leaf` takes effect, before events of later leaves. Signing keys of a
  // member whose identity key it replaces or removes, or that left, are revoked
  // at `leaf`, its prekeys are gone; a replaced identity key ends a freeze.
  void SetCharter(const AcceptedCharter& charter, LeafIndex leaf);

  // Applies the event of leaf `leaf`; leaves never fall. An event that is
  // malformed, badly signed or out of order changes nothing: PERMISSION_DENIED,
  // FAILED_PRECONDITION or INVALID_ARGUMENT. An event that was applied before
  // is OK and changes nothing. A second, different event for a `seq`, by a key
  // that could have signed one, freezes the member's keys: DATA_LOSS (code
  // "forked").
  //
  // kSigning: before the charter's `expires`, by I; vouched for by the member's
  // current signing key, or else the older ones are revoked at this leaf.
  // Vouched for, the old one stays valid to its `until`. kPrekey: by a signing
  // key valid here. kRevoke: by I or by the key itself. A new key was never in
  // the directory before.
  //
  // `since`, if it is later than the leaf's `time`: from when on the reader
  // counts its age, for the trust delay alone. Whether it holds is for the log
  // to say, the same for all.
  absl::Status Apply(absl::string_view document, LeafIndex leaf,
                     absl::Time time, absl::Time since = absl::InfinitePast());

  // The same checks without a change: what the broker asks before it logs.
  absl::Status Check(absl::string_view document, absl::Time time) const;

  // Applies, or only checks, the suspension of leaf `leaf`: see Standings.
  absl::Status Suspend(absl::string_view document, LeafIndex leaf,
                       absl::Time time);
  absl::Status CheckSuspension(absl::string_view document,
                               absl::Time time) const;
  const Standings& standings() const { return standings_; }

  // The record of `kid` when it is a signing key of `member`, valid for an
  // event at `leaf` and time `at`, and the member was active there, whatever it
  // is now. PERMISSION_DENIED otherwise (code "member_suspended" when only the
  // member was not active).
  absl::StatusOr<SignerRecord> SignerAt(const MemberId& member,
                                        const Digest& kid, LeafIndex leaf,
                                        absl::Time at) const;
  // Like SignerAt without a member: who signed it?
  absl::StatusOr<SignerRecord> SignerAt(const Digest& kid, LeafIndex leaf,
                                        absl::Time at) const;

  // The record of `kid` when it is a signing key that `member` had before
  // `leaf`, whatever became of it: for what the member signed once and vouches
  // for at `leaf` by a key of then. PERMISSION_DENIED otherwise.
  absl::StatusOr<SignerRecord> EarlierSigner(const MemberId& member,
                                             const Digest& kid,
                                             LeafIndex leaf) const;

  // Prekeys of `member`, newest first, whatever their `until`; empty when
  // frozen or none. Those of a revoked signing key are gone: its thief may have
  // made them. So are those that ran out over 30 days ago.
  std::vector<PrekeyRecord> Prekeys(const MemberId& member) const;
  // The member and record of a prekey; NOT_FOUND otherwise.
  absl::StatusOr<PrekeyRecord> FindPrekey(const MemberId& member,
                                          const Digest& prekey_id) const;

  // The newest signing key of `member` that is not revoked.
  std::optional<SignerRecord> CurrentSigner(const MemberId& member) const;
  // All signing keys that `member` ever had in the log, oldest first.
  std::vector<Digest> SigningKids(const MemberId& member) const;
  // Every signing key that `member` ever had, oldest first, revoked ones too.
  std::vector<SignerRecord> SignersOf(const MemberId& member) const;
  // `signer` and the keys that vouch for it, one for the next, newest first:
  // who confirmed one of them has confirmed `signer`.
  std::vector<SignerRecord> ChainOf(const SignerRecord& signer) const;
  // seq and hash that the member's next event must follow.
  struct Head {
    uint64_t seq = 0;
    Digest hash;
  };
  Head HeadOf(const MemberId& member) const;
  bool IsFrozen(const MemberId& member) const;

 private:
  struct CertifiedPrekey {
    PrekeyRecord record;
    Digest kid;  // the signing key that made it
  };
  struct Freeze {
    LeafIndex leaf;
    VerifyKey identity;  // ends when the charter has another
  };
  // The hashes of a member's events by seq, which counts from 1: to tell a
  // repeated event from a fork for years. Copies share what is full.
  class EventHashes {
   public:
    std::optional<Digest> At(uint64_t seq) const;
    void Append(const Digest& hash);

   private:
    static constexpr size_t kBlock = 256;
    std::vector<std::shared_ptr<const std::vector<Digest>>> full_;
    std::vector<Digest> rest_;
  };
  struct MemberKeys {
    Head head;
    std::vector<SignerRecord> signers;     // oldest first
    std::vector<CertifiedPrekey> prekeys;  // oldest first
    EventHashes hashes;
    std::optional<Freeze> freeze;

    const SignerRecord* Find(const Digest& kid) const;
    const SignerRecord* Current() const;
    void Revoke(const Digest& kid, LeafIndex leaf);
    void RevokeAll(LeafIndex leaf);
  };
  struct Change;
  absl::StatusOr<Change> Examine(absl::string_view document,
                                 absl::Time time) const;
  absl::StatusOr<Digest> CheckSignature(absl::string_view document,
                                        const KeyEvent& event,
                                        absl::Time time) const;
  absl::Status CheckPlace(const KeyEvent& event, absl::Time time) const;
  absl::Status CheckNewSigner(const KeyEvent& event, absl::Time time) const;
  void AddSigner(const Change& change, LeafIndex leaf, absl::Time since,
                 MemberKeys& keys);
  const MemberKeys& KeysOf(const MemberId& member) const;
  void Replace(const MemberId& member, MemberKeys keys);

  std::shared_ptr<const AcceptedCharter> charter_;
  Standings standings_;
  std::set<Digest> charter_hashes_;  // of every charter so far
  // Shared with copies of this directory, and replaced when one changes.
  std::map<MemberId, std::shared_ptr<const MemberKeys>> members_;
  absl::flat_hash_map<Digest, MemberId> owners_;  // of signing keys, by kid
};

}  // namespace amparo

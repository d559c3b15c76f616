#include "proto/network/key_directory.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/status.h"
#include "crypto/jws.h"

namespace amparo {
namespace {

// How far a key event's `from` may lie after the time of its leaf.
constexpr absl::Duration kFromAfterMax = absl::Minutes(5);
constexpr absl::Duration kPrekeyRecordLife = absl::Hours(30 * 24);

absl::Status Denied(absl::string_view why) {
  return absl::PermissionDeniedError(absl::StrCat("key event: ", why));
}

absl::Status OutOfOrder(absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat("key event: ", why));
}

absl::Status Forked() {
  return MakeError(absl::StatusCode::kDataLoss,
                   "key event: another one has this place; the keys are frozen",
                   {.code = "forked"});
}

bool IsUsable(const SignerRecord* signer, absl::Time time) {
  return signer != nullptr && !signer->revoked_at.has_value() &&
         time < signer->until;
}

}  // namespace

struct KeyDirectory::Change {
  enum class Outcome { kApply, kRepeat, kFork };

  Outcome outcome;
  KeyEvent event;
  Digest hash;
  Digest kid;  // who signed it
};

std::optional<Digest> KeyDirectory::EventHashes::At(uint64_t seq) const {
  if (seq == 0) return std::nullopt;
  const uint64_t block = (seq - 1) / kBlock, place = (seq - 1) % kBlock;
  if (block < full_.size()) return (*full_[block])[place];
  if (block > full_.size() || place >= rest_.size()) return std::nullopt;
  return rest_[place];
}

void KeyDirectory::EventHashes::Append(const Digest& hash) {
  rest_.push_back(hash);
  if (rest_.size() < kBlock) return;
  full_.push_back(
      std::make_shared<const std::vector<Digest>>(std::move(rest_)));
  rest_.clear();
}

const SignerRecord* KeyDirectory::MemberKeys::Find(const Digest& kid) const {
  for (auto signer = signers.rbegin(); signer != signers.rend(); ++signer)
    if (signer->key.Thumbprint() == kid) return &*signer;
  return nullptr;
}

const SignerRecord* KeyDirectory::MemberKeys::Current() const {
  if (freeze.has_value()) return nullptr;
  for (auto signer = signers.rbegin(); signer != signers.rend(); ++signer)
    if (!signer->revoked_at.has_value()) return &*signer;
  return nullptr;
}

void KeyDirectory::MemberKeys::Revoke(const Digest& kid, LeafIndex leaf) {
  for (SignerRecord& signer : signers)
    if (signer.key.Thumbprint() == kid && !signer.revoked_at.has_value())
      signer.revoked_at = leaf;
  std::erase_if(prekeys, [&](const CertifiedPrekey& prekey) {
    return prekey.kid == kid;
  });
}

void KeyDirectory::MemberKeys::RevokeAll(LeafIndex leaf) {
  for (SignerRecord& signer : signers)
    if (!signer.revoked_at.has_value()) signer.revoked_at = leaf;
  prekeys.clear();
}

void KeyDirectory::Replace(const MemberId& member, MemberKeys keys) {
  members_[member] = std::make_shared<const MemberKeys>(std::move(keys));
}

void KeyDirectory::SetCharter(const AcceptedCharter& charter, LeafIndex leaf) {
  for (auto& [id, shared] : members_) {
    MemberKeys keys = *shared;
    const Member* const before = charter_->charter.Find(id);
    const Member* const after = charter.charter.Find(id);
    const bool same = before != nullptr && after != nullptr &&
                      after->status != MemberStatus::kLeft &&
                      after->identity_key.has_value() &&
                      before->identity_key == after->identity_key;
    if (!same) keys.RevokeAll(keys.freeze ? keys.freeze->leaf : leaf);
    if (keys.freeze.has_value() && after != nullptr &&
        after->identity_key.has_value() &&
        *after->identity_key != keys.freeze->identity)
      keys.freeze.reset();
    shared = std::make_shared<const MemberKeys>(std::move(keys));
  }
  charter_hashes_.insert(charter.hash);
  charter_ = std::make_shared<const AcceptedCharter>(charter);
  standings_.SetCharter(charter.charter, leaf);
}

// The key that signed `document`, when it is one that may sign such an event.
absl::StatusOr<Digest> KeyDirectory::CheckSignature(absl::string_view document,
                                                    const KeyEvent& event,
                                                    absl::Time time) const {
  const VerifyKey identity =
      *charter_->charter.Find(event.member)->identity_key;
  const MemberKeys& keys = KeysOf(event.member);
  const auto lookup = [&](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    const SignerRecord* const signer = keys.Find(kid);
    switch (event.kind) {
      case KeyEventKind::kSigning:
        if (kid == identity.Thumbprint()) return identity;
        break;
      case KeyEventKind::kPrekey:
        if (IsUsable(signer, time)) return signer->key;
        break;
      case KeyEventKind::kRevoke:
        if (kid == identity.Thumbprint()) return identity;
        if (signer != nullptr && !signer->revoked_at.has_value() &&
            std::get<VerifyKey>(event.key) == signer->key)
          return signer->key;
        break;
    }
    return Denied("this key may not sign it");
  };
  const auto jws = VerifyJws(document, kKeyEventTyp, lookup, kKeyEventBytesMax);
  if (!jws.ok()) return Denied("not signed by a key that may");
  return jws->kid;
}

// Whether it follows what stands in the log already.
absl::Status KeyDirectory::CheckPlace(const KeyEvent& event,
                                      absl::Time time) const {
  const Head& head = KeysOf(event.member).head;
  if (event.seq != head.seq + 1) return OutOfOrder("a gap before its seq");
  if (event.prev_hash != head.hash) return OutOfOrder("another predecessor");
  // A member that was shown another charter than everybody else says so here.
  if (!charter_hashes_.contains(event.charter_hash))
    return OutOfOrder("it names a charter that is not in the log");
  if (event.kind == KeyEventKind::kRevoke) return absl::OkStatus();
  if (event.from > time + kFromAfterMax)
    return OutOfOrder("its key is for later");
  if (event.until <= time) return OutOfOrder("its key has run out");
  return absl::OkStatus();
}

absl::Status KeyDirectory::CheckNewSigner(const KeyEvent& event,
                                          absl::Time time) const {
  const auto& key = std::get<VerifyKey>(event.key);
  if (owners_.contains(key.Thumbprint()))
    return OutOfOrder("its key was in the log before");
  for (const Member& member : charter_->charter.members)
    if (key == member.identity_key || key == member.witness_key)
      return Denied("its key has another use");
  if (!event.vouched_by_old.has_value()) return absl::OkStatus();
  const SignerRecord* const current = KeysOf(event.member).Current();
  if (!IsUsable(current, time)) return Denied("no key can vouch for it");
  return VerifyVouch(event, current->key);
}

absl::StatusOr<KeyDirectory::Change> KeyDirectory::Examine(
    absl::string_view document, absl::Time time) const {
  ASSIGN_OR_RETURN(KeyEvent event, PeekKeyEvent(document));
  if (charter_ == nullptr) return OutOfOrder("there is no charter yet");
  if (event.net != charter_->network_id) return Denied("of another network");
  const Member* const member = charter_->charter.Find(event.member);
  if (member == nullptr || !member->identity_key.has_value())
    return Denied("not of a member");
  const bool active = member->status == MemberStatus::kActive &&
                      !standings_.SuspendedUntil(member->id, time);
  if (!active && event.kind != KeyEventKind::kRevoke)
    return Denied("its member is not active");

  const MemberKeys& keys = KeysOf(event.member);
  const Digest hash = Sha256(document);
  const std::optional<Digest> same_seq = keys.hashes.At(event.seq);
  if (same_seq == hash)
    return Change{Change::Outcome::kRepeat, std::move(event), hash, Digest()};
  // Only a key that may sign such an event can freeze its member: an outsider
  // cannot.
  ASSIGN_OR_RETURN(const Digest kid, CheckSignature(document, event, time));
  // Nobody was ever to believe it: its member may have made another instead.
  if (same_seq.has_value() && event.kind != KeyEventKind::kRevoke &&
      event.until <= time)
    return OutOfOrder("its key has run out");
  if (same_seq.has_value())
    return Change{Change::Outcome::kFork, std::move(event), hash, kid};
  if (keys.freeze.has_value()) return Denied("its member's keys are frozen");
  RETURN_IF_ERROR(CheckPlace(event, time));
  switch (event.kind) {
    case KeyEventKind::kSigning:
      // Whoever holds on to an old charter shall not go on for ever.
      if (time >= charter_->charter.expires)
        return OutOfOrder("the charter has run out, nobody gets a new key");
      RETURN_IF_ERROR(CheckNewSigner(event, time));
      break;
    case KeyEventKind::kPrekey:
      for (const CertifiedPrekey& prekey : keys.prekeys)
        if (prekey.record.key == std::get<SealingKey>(event.key))
          return OutOfOrder("its prekey was in the log before");
      break;
    case KeyEventKind::kRevoke: {
      const SignerRecord* const signer =
          keys.Find(std::get<VerifyKey>(event.key).Thumbprint());
      if (signer == nullptr || signer->revoked_at.has_value())
        return OutOfOrder("there is no such key to revoke");
      break;
    }
  }
  return Change{Change::Outcome::kApply, std::move(event), hash, kid};
}

void KeyDirectory::AddSigner(const Change& change, LeafIndex leaf,
                             absl::Time since, MemberKeys& keys) {
  const KeyEvent& event = change.event;
  SignerRecord added{event.member, std::get<VerifyKey>(event.key),
                     leaf,         since,
                     event.until,  {},
                     {},           false};
  if (event.vouched_by_old.has_value()) {
    const SignerRecord& old = *keys.Current();
    const Charter& charter = charter_->charter;
    added.vouched_by = old.key.Thumbprint();
    added.vouched = old.vouched ||
                    charter.trust_delay == absl::ZeroDuration() ||
                    (charter.witness_quorum > 0 &&
                     since >= old.logged_at + charter.trust_delay);
  } else {
    keys.RevokeAll(leaf);
  }
  owners_.emplace(added.key.Thumbprint(), event.member);
  keys.signers.push_back(std::move(added));
}

absl::Status KeyDirectory::Apply(absl::string_view document, LeafIndex leaf,
                                 absl::Time time, absl::Time since) {
  ASSIGN_OR_RETURN(const Change change, Examine(document, time));
  const KeyEvent& event = change.event;
  if (change.outcome == Change::Outcome::kRepeat) return absl::OkStatus();
  MemberKeys keys = KeysOf(event.member);
  if (change.outcome == Change::Outcome::kFork) {
    if (!keys.freeze.has_value())
      keys.freeze =
          Freeze{leaf, *charter_->charter.Find(event.member)->identity_key};
    Replace(event.member, std::move(keys));
    return Forked();
  }
  switch (event.kind) {
    case KeyEventKind::kSigning:
      AddSigner(change, leaf, std::max(time, since), keys);
      break;
    case KeyEventKind::kPrekey:
      std::erase_if(keys.prekeys, [&](const CertifiedPrekey& prekey) {
        return prekey.record.until + kPrekeyRecordLife < time;
      });
      keys.prekeys.push_back(
          {{std::get<SealingKey>(event.key), leaf, time, event.until},
           change.kid});
      break;
    case KeyEventKind::kRevoke:
      keys.Revoke(std::get<VerifyKey>(event.key).Thumbprint(), leaf);
      break;
  }
  keys.head = {event.seq, change.hash};
  keys.hashes.Append(change.hash);
  Replace(event.member, std::move(keys));
  return absl::OkStatus();
}

absl::Status KeyDirectory::Check(absl::string_view document,
                                 absl::Time time) const {
  ASSIGN_OR_RETURN(const Change change, Examine(document, time));
  return change.outcome == Change::Outcome::kFork ? Forked() : absl::OkStatus();
}

absl::Status KeyDirectory::Suspend(absl::string_view document, LeafIndex leaf,
                                   absl::Time time) {
  if (charter_ == nullptr) return OutOfOrder("there is no charter yet");
  return standings_.Suspend(document, *charter_, leaf, time);
}

absl::Status KeyDirectory::CheckSuspension(absl::string_view document,
                                           absl::Time time) const {
  if (charter_ == nullptr) return OutOfOrder("there is no charter yet");
  return standings_.CheckSuspension(document, *charter_, time);
}

}  // namespace amparo

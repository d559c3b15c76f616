#include <utility>

#include "base/error.h"
#include "base/status.h"
#include "proto/network/key_directory.h"

// What a KeyDirectory answers; how it comes about is in key_directory.cc.

namespace amparo {

const KeyDirectory::MemberKeys& KeyDirectory::KeysOf(
    const MemberId& member) const {
  static const MemberKeys none;
  const auto found = members_.find(member);
  return found == members_.end() ? none : *found->second;
}

absl::StatusOr<SignerRecord> KeyDirectory::SignerAt(const MemberId& member,
                                                    const Digest& kid,
                                                    LeafIndex leaf,
                                                    absl::Time at) const {
  const MemberKeys& keys = KeysOf(member);
  const SignerRecord* const signer = keys.Find(kid);
  if (signer == nullptr)
    return absl::PermissionDeniedError("not a signing key of this member");
  const bool revoked =
      signer->revoked_at.has_value() && leaf >= *signer->revoked_at;
  const bool frozen = keys.freeze.has_value() && leaf >= keys.freeze->leaf;
  if (leaf <= signer->leaf || revoked || frozen || at >= signer->until)
    return absl::PermissionDeniedError(
        "the signing key is not valid at this place in the log");
  if (!standings_.WasActive(member, leaf, at))
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "its member was not active at this place in the log",
                     {.code = "member_suspended"});
  return *signer;
}

absl::StatusOr<SignerRecord> KeyDirectory::SignerAt(const Digest& kid,
                                                    LeafIndex leaf,
                                                    absl::Time at) const {
  const auto owner = owners_.find(kid);
  if (owner == owners_.end())
    return absl::PermissionDeniedError("not a signing key of any member");
  return SignerAt(owner->second, kid, leaf, at);
}

absl::StatusOr<SignerRecord> KeyDirectory::EarlierSigner(const MemberId& member,
                                                         const Digest& kid,
                                                         LeafIndex leaf) const {
  const SignerRecord* const signer = KeysOf(member).Find(kid);
  if (signer == nullptr || leaf <= signer->leaf)
    return absl::PermissionDeniedError("not a signing key of this member");
  return *signer;
}

std::vector<PrekeyRecord> KeyDirectory::Prekeys(const MemberId& member) const {
  const MemberKeys& keys = KeysOf(member);
  std::vector<PrekeyRecord> prekeys;
  if (keys.freeze.has_value()) return prekeys;
  for (auto prekey = keys.prekeys.rbegin(); prekey != keys.prekeys.rend();
       ++prekey)
    prekeys.push_back(prekey->record);
  return prekeys;
}

absl::StatusOr<PrekeyRecord> KeyDirectory::FindPrekey(
    const MemberId& member, const Digest& prekey_id) const {
  for (const PrekeyRecord& prekey : Prekeys(member))
    if (prekey.key.Id() == prekey_id) return prekey;
  return absl::NotFoundError("not a prekey of this member");
}

std::optional<SignerRecord> KeyDirectory::CurrentSigner(
    const MemberId& member) const {
  const SignerRecord* const current = KeysOf(member).Current();
  return current == nullptr ? std::nullopt : std::make_optional(*current);
}

std::vector<Digest> KeyDirectory::SigningKids(const MemberId& member) const {
  std::vector<Digest> kids;
  for (const SignerRecord& signer : KeysOf(member).signers)
    kids.push_back(signer.key.Thumbprint());
  return kids;
}

std::vector<SignerRecord> KeyDirectory::SignersOf(
    const MemberId& member) const {
  return KeysOf(member).signers;
}

std::vector<SignerRecord> KeyDirectory::ChainOf(
    const SignerRecord& signer) const {
  const MemberKeys& keys = KeysOf(signer.member);
  std::vector<SignerRecord> chain = {signer};
  while (chain.back().vouched_by.has_value()) {
    // A key vouches only for one that comes after it: this ends.
    const SignerRecord* const older = keys.Find(*chain.back().vouched_by);
    if (older == nullptr) break;
    chain.push_back(*older);
  }
  return chain;
}

KeyDirectory::Head KeyDirectory::HeadOf(const MemberId& member) const {
  return KeysOf(member).head;
}

bool KeyDirectory::IsFrozen(const MemberId& member) const {
  return KeysOf(member).freeze.has_value();
}

}  // namespace amparo

#include "agents/institution/core/peer_book.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/network/words.h"

namespace amparo::agent {
namespace {

constexpr char kConfirmedPrefix[] = "confirmed/";

absl::Status Suspended(absl::string_view message) {
  return MakeError(absl::StatusCode::kPermissionDenied, message,
                   {.code = "member_suspended", .field = "member"});
}

}  // namespace

std::shared_ptr<const Charter> CharterAt(std::shared_ptr<const Peers> peers,
                                         absl::Time now) {
  auto adjusted = peers->keys.standings().Adjust(peers->charter.charter, now);
  if (adjusted != nullptr) return adjusted;
  const Charter* const charter = &peers->charter.charter;
  return std::shared_ptr<const Charter>(std::move(peers), charter);
}

absl::StatusOr<std::unique_ptr<PeerBook>> PeerBook::Open(
    KeyValue& kv, AcceptedCharter first) {
  std::unique_ptr<PeerBook> book(new PeerBook(kv));
  std::set<Digest> confirmed;
  RETURN_IF_ERROR(
      kv.Scan(kConfirmedPrefix, "", [&](absl::string_view, ByteView value) {
        if (const auto kid = Digest::FromBytes(value); kid.ok())
          confirmed.insert(*kid);
        return true;
      }));
  KeyDirectory keys;
  keys.SetCharter(first, LeafIndex(0));
  MutexLock lock(book->mutex_);
  book->confirmed_ = std::move(confirmed);
  book->peers_ = std::make_shared<const Peers>(
      Peers{std::move(first), std::move(keys), TreeSize(0), absl::UnixEpoch()});
  return book;
}

std::shared_ptr<const Peers> PeerBook::Now() const {
  MutexLock lock(mutex_);
  return peers_;
}

void PeerBook::Publish(Peers peers) {
  auto next = std::make_shared<const Peers>(std::move(peers));
  MutexLock lock(mutex_);
  peers_ = std::move(next);
}

absl::StatusOr<Member> PeerBook::ActiveMember(const MemberId& id,
                                              absl::Time now) const {
  const auto peers = Now();
  const Member* member = peers->charter.charter.Find(id);
  if (member == nullptr || member->status == MemberStatus::kLeft)
    return MakeError(
        absl::StatusCode::kNotFound,
        absl::StrCat(id.text(), " is not a member of this network"),
        {.code = "unknown_member", .field = "member"});
  if (member->status == MemberStatus::kSuspended)
    return Suspended(absl::StrCat(id.text(), " is suspended"));
  if (const auto until = peers->keys.standings().SuspendedUntil(id, now))
    return Suspended(
        absl::StrCat(id.text(), " is suspended until ", FormatUtc(*until)));
  if (member->status != MemberStatus::kActive)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     absl::StrCat(id.text(), " has not joined yet"),
                     {.code = "invalid_state", .field = "member"});
  return *member;
}

absl::StatusOr<PrekeyRecord> PeerBook::PrekeyFor(const MemberId& id,
                                                 absl::Time now) const {
  ASSIGN_OR_RETURN(const Member member, ActiveMember(id, now));
  const auto peers = Now();
  const auto signer = peers->keys.CurrentSigner(id);
  const std::vector<PrekeyRecord> prekeys = peers->keys.Prekeys(id);
  if (!HasMailbox(member.kind) || !signer || prekeys.empty() ||
      prekeys.front().until <= now)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     absl::StrCat(id.text(), " has no key to seal to yet"),
                     {.code = "invalid_state",
                      .field = "member",
                      .hint = "the draft waits and goes out when it has one"});
  RETURN_IF_ERROR(CheckTrust(*peers, *signer));
  return prekeys.front();
}

absl::Status PeerBook::CheckTrust(const Peers& peers,
                                  const SignerRecord& signer) const {
  const Charter& charter = peers.charter.charter;
  if (charter.trust_delay == absl::ZeroDuration() || signer.vouched)
    return absl::OkStatus();
  {
    // Who confirmed a key has confirmed what it vouches for.
    MutexLock lock(mutex_);
    for (const SignerRecord& key : peers.keys.ChainOf(signer))
      if (confirmed_.contains(key.key.Thumbprint())) return absl::OkStatus();
  }
  // With a quorum, others had the time to cry out. Without one, nobody watches
  // the log, and time alone frees no key.
  if (charter.witness_quorum > 0 &&
      peers.witnessed_at >= signer.logged_at + charter.trust_delay)
    return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kPermissionDenied,
      absl::StrCat("the key of ", signer.member.text(),
                   " is new and nobody vouches for it yet"),
      {.code = "key_too_new",
       .field = "member",
       .hint =
           "compare its key words by phone, then: amparo directory confirm"});
}

std::string PeerBook::KeyWordsOf(const MemberId& id) const {
  const auto peers = Now();
  const Member* member = peers->charter.charter.Find(id);
  const auto signer = peers->keys.CurrentSigner(id);
  if (member == nullptr || !member->identity_key || !signer) return "";
  return KeyWords(*member->identity_key, signer->key);
}

absl::Status PeerBook::ConfirmKeys(const MemberId& id,
                                   absl::string_view words) {
  const auto peers = Now();
  const Member* member = peers->charter.charter.Find(id);
  const auto signer = peers->keys.CurrentSigner(id);
  if (member == nullptr || !member->identity_key || !signer)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     absl::StrCat(id.text(), " has no key to confirm yet"),
                     {.code = "invalid_state", .field = "member"});
  if (words != KeyWords(*member->identity_key, signer->key))
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat("these are not the key words of ", id.text()),
        {.code = "conflict",
         .field = "key_words",
         .hint = "look at them again; if they differ from what the other side "
                 "reads to you, send nothing and tell your administrator"});
  const Digest kid = signer->key.Thumbprint();
  Batch batch;
  batch.Put(kConfirmedPrefix + ToHex(kid.bytes()), kid.bytes());
  RETURN_IF_ERROR(kv_.Write(batch));
  MutexLock lock(mutex_);
  confirmed_.insert(kid);
  return absl::OkStatus();
}

bool PeerBook::KeysConfirmed(const MemberId& id) const {
  const auto signer = Now()->keys.CurrentSigner(id);
  MutexLock lock(mutex_);
  return signer && confirmed_.contains(signer->key.Thumbprint());
}

}  // namespace amparo::agent

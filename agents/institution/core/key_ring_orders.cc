#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/key_ring.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"

// What people order of the keys, and what of the ring survives a restart.

namespace amparo::agent {
namespace {

constexpr char kOrderKey[] = "key/order";
constexpr char kOwnPrefix[] = "key/own/";
constexpr char kSigningPrefix[] = "key/signing/";

absl::Status Busy() {
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   "another order for the keys is not done yet",
                   {.code = "invalid_state",
                    .hint = "wait until it is, then ask again",
                    .retryable = true});
}

absl::Status OtherRequest() {
  return MakeError(absl::StatusCode::kAlreadyExists,
                   "something else was asked under this request id",
                   {.code = "conflict", .field = "request_id"});
}

absl::Status NoSuchKey() {
  return MakeError(absl::StatusCode::kNotFound,
                   "this member never had such a signing key",
                   {.code = "not_found",
                    .field = "kid",
                    .hint = "amparo-agent keys --data DIR lists them"});
}

absl::Status NoKey(const Peers& peers, const MemberId& self) {
  const Member* const member = peers.charter.charter.Find(self);
  if (member != nullptr && member->status == MemberStatus::kLeft)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "this member has left the network: its keys are revoked",
                     {.code = "invalid_state",
                      .hint = "it comes back by a new invitation only"});
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   "there is no signing key in the log yet",
                   {.code = "invalid_state", .retryable = true});
}

absl::StatusOr<bool> HasAny(const KeyValue& kv, const char* prefix) {
  bool any = false;
  RETURN_IF_ERROR(kv.Scan(prefix, "", [&](absl::string_view, ByteView) {
    any = true;
    return false;
  }));
  return any;
}

}  // namespace

absl::Status KeyRing::Load() {
  const auto row = kv_.Get(kOrderKey);
  if (row.ok()) {
    ASSIGN_OR_RETURN(KeyOrder order, DecodeKeyOrder(AsText(*row)));
    MutexLock lock(ordering_);
    order_ = std::move(order);
  } else if (!absl::IsNotFound(row.status())) {
    return row.status();
  }
  // A store of the time before it was written down which keys are its own.
  ASSIGN_OR_RETURN(const bool knows, HasAny(kv_, kOwnPrefix));
  ASSIGN_OR_RETURN(const bool had_keys, HasAny(kv_, kSigningPrefix));
  if (knows || !had_keys) return absl::OkStatus();
  const auto peers = peers_.Now();
  Batch own;
  const auto adopt = [&](const Digest& id) {
    own.Put(kOwnPrefix + ToHex(id.bytes()), {});
  };
  for (const SignerRecord& signer : peers->keys.SignersOf(self_))
    adopt(signer.key.Thumbprint());
  for (const PrekeyRecord& prekey : peers->keys.Prekeys(self_))
    adopt(prekey.key.Id());
  return kv_.Write(own);
}

std::optional<KeyOrder> KeyRing::OpenOrder() const {
  MutexLock lock(ordering_);
  return order_ && !order_->done ? order_ : std::nullopt;
}

std::optional<KeyOrder> KeyRing::LastOrder() const {
  MutexLock lock(ordering_);
  return order_;
}

absl::Status KeyRing::NoteDone(KeyOrder order) {
  order.done = true;
  Batch batch;
  batch.Put(kOrderKey, AsBytes(EncodeKeyOrder(order)));
  MutexLock lock(ordering_);
  RETURN_IF_ERROR(kv_.Write(batch));
  order_ = std::move(order);
  LogEvent("key_order_done");
  return absl::OkStatus();
}

absl::StatusOr<std::optional<KeyOrder>> KeyRing::Earlier(
    KeyOrder::Kind kind, absl::string_view request_id,
    const std::optional<Digest>& kid) const {
  if (!order_) return std::nullopt;
  const bool same = order_->kind == kind && (!kid || *kid == order_->kid);
  if (!request_id.empty() && order_->request_id == request_id) {
    if (!same) return OtherRequest();
    return order_;
  }
  if (order_->done) return std::nullopt;
  if (!same) return Busy();
  return order_;
}

absl::StatusOr<KeyOrder> KeyRing::Keep(KeyOrder order) {
  Batch batch;
  batch.Put(kOrderKey, AsBytes(EncodeKeyOrder(order)));
  RETURN_IF_ERROR(kv_.Write(batch));
  order_ = order;
  return order;
}

absl::StatusOr<KeyOrder> KeyRing::OrderRotation(absl::string_view request_id) {
  const auto peers = peers_.Now();
  const auto signer = peers->keys.CurrentSigner(self_);
  const auto prekeys = peers->keys.Prekeys(self_);
  MutexLock lock(ordering_);
  ASSIGN_OR_RETURN(auto earlier,
                   Earlier(KeyOrder::Kind::kRotate, request_id, std::nullopt));
  if (earlier) return *std::move(earlier);
  if (!signer) return NoKey(*peers, self_);
  KeyOrder order{.kind = KeyOrder::Kind::kRotate,
                 .request_id = std::string(request_id),
                 .kid = signer->key.Thumbprint(),
                 .prekey = std::nullopt};
  if (!prekeys.empty()) order.prekey = prekeys.front().key.Id();
  return Keep(std::move(order));
}

absl::StatusOr<KeyOrder> KeyRing::OrderRevocation(
    absl::string_view request_id, const std::optional<Digest>& kid) {
  const auto peers = peers_.Now();
  const auto current = peers->keys.CurrentSigner(self_);
  MutexLock lock(ordering_);
  ASSIGN_OR_RETURN(auto earlier,
                   Earlier(KeyOrder::Kind::kRevoke, request_id, kid));
  if (earlier) return *std::move(earlier);
  if (!kid && !current) return NoKey(*peers, self_);
  const Digest revoked = kid ? *kid : current->key.Thumbprint();
  bool known = false;
  for (const SignerRecord& signer : peers->keys.SignersOf(self_))
    known = known || signer.key.Thumbprint() == revoked;
  if (!known) return NoSuchKey();
  return Keep({.kind = KeyOrder::Kind::kRevoke,
               .request_id = std::string(request_id),
               .kid = revoked,
               .prekey = std::nullopt,
               .replaces = current && current->key.Thumbprint() == revoked});
}

}  // namespace amparo::agent

#include "agents/institution/core/anchors.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"
#include "crypto/random.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/log_entry.h"

namespace amparo::agent {
namespace {

constexpr char kPrefix[] = "anchor/";

// What is signed, before and after it stands in the log.
Bytes Encode(const PayloadOrigin& origin, bool logged) {
  Json json;
  json["anchor"] = ToBase64Url(origin.anchor);
  json["signature"] = ToBase64Url(origin.signature);
  json["anchor_salt"] = ToBase64Url(origin.anchor_salt);
  json["logged"] = logged;
  json["leaf"] = origin.leaf.value();
  json["leaf_time"] = UnixSeconds(origin.leaf_time);
  json["leaf_salt"] = ToBase64Url(origin.leaf_salt);
  return ToBytes(DumpJson(json));
}

template <size_t N>
absl::Status ReadArray(const Json& json, const char* key, std::array<uint8_t, N>& out) {
  ASSIGN_OR_RETURN(const std::string text, JsonString(json, key));
  ASSIGN_OR_RETURN(const Bytes bytes, FromBase64Url(text));
  if (bytes.size() != N) return absl::DataLossError("a stored anchor is damaged");
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return absl::OkStatus();
}

absl::StatusOr<std::pair<PayloadOrigin, bool>> Decode(ByteView bytes) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(bytes)));
  PayloadOrigin origin;
  ASSIGN_OR_RETURN(const std::string anchor, JsonString(json, "anchor"));
  ASSIGN_OR_RETURN(origin.anchor, FromBase64Url(anchor));
  RETURN_IF_ERROR(ReadArray(json, "signature", origin.signature));
  RETURN_IF_ERROR(ReadArray(json, "anchor_salt", origin.anchor_salt));
  RETURN_IF_ERROR(ReadArray(json, "leaf_salt", origin.leaf_salt));
  ASSIGN_OR_RETURN(const int64_t leaf, JsonInt(json, "leaf"));
  origin.leaf = LeafIndex(static_cast<uint64_t>(leaf));
  ASSIGN_OR_RETURN(const int64_t time, JsonInt(json, "leaf_time"));
  origin.leaf_time = TimeFromUnix(time);
  return std::pair(std::move(origin), json.value("logged", false));
}

Bytes EventBytes(const PayloadOrigin& origin) {
  return EncodeAuditEvent(AnchorEvent{origin.anchor, origin.signature});
}

}  // namespace

absl::StatusOr<PayloadOrigin> Anchors::Ensure(BrokerPort& broker, const EventId& id,
                                              const Digest& document) {
  const auto stored = kv_.Get(kPrefix + id.text());
  if (stored.ok()) {
    ASSIGN_OR_RETURN(auto decoded, Decode(*stored));
    if (decoded.second) return std::move(decoded.first);
    auto logged = Log(broker, id, std::move(decoded.first));
    // Never logged, and too old by now or by a key that ended: refused for
    // good, since what is logged gets its first leaf again.
    if (!absl::IsFailedPrecondition(logged.status()) &&
        !absl::IsPermissionDenied(logged.status()))
      return logged;
  } else if (!absl::IsNotFound(stored.status())) {
    return stored.status();
  }
  ASSIGN_OR_RETURN(PayloadOrigin made, Make(id, document));
  return Log(broker, id, std::move(made));
}

absl::StatusOr<PayloadOrigin> Anchors::Make(const EventId& id,
                                            const Digest& document) {
  ASSIGN_OR_RETURN(const SigningKey signer, keys_.Signer());
  PayloadOrigin origin;
  origin.anchor_salt = RandomArray<32>();
  const SignedAnchor made = SignAnchor(
      Anchor{.network_id = peers_.Now()->charter.network_id,
             .member = keys_.self(),
             .kid = signer.verify_key().Thumbprint(),
             .created = TimeFromUnix(UnixSeconds(clock_.Now())),
             .anchor = AnchorDigest(origin.anchor_salt, document, Digest())},
      signer);
  origin.anchor = made.anchor_bytes;
  origin.signature = made.signature;
  // Stored first: after a crash the same anchor is logged again, and the
  // broker answers with the first leaf.
  Batch batch;
  batch.Put(kPrefix + id.text(), Encode(origin, false));
  RETURN_IF_ERROR(kv_.Write(batch));
  return origin;
}

absl::StatusOr<PayloadOrigin> Anchors::Log(BrokerPort& broker, const EventId& id,
                                           PayloadOrigin origin) {
  ASSIGN_OR_RETURN(const SignedAnchor anchor,
                   MakeSignedAnchor(origin.anchor, origin.signature));
  ASSIGN_OR_RETURN(const LeafReceipt receipt, broker.LogAnchor(anchor));
  Batch batch;
  RETURN_IF_ERROR(promises_.Keep(receipt, EventBytes(origin), batch));
  origin.leaf = receipt.leaf;
  origin.leaf_time = receipt.time;
  std::copy(receipt.salt.begin(), receipt.salt.end(), origin.leaf_salt.begin());
  batch.Put(kPrefix + id.text(), Encode(origin, true));
  RETURN_IF_ERROR(kv_.Write(batch));
  return origin;
}

absl::StatusOr<PayloadOrigin> LoggedAnchor(const KeyValue& kv,
                                           const EventId& id) {
  ASSIGN_OR_RETURN(const Bytes row, kv.Get(kPrefix + id.text()));
  ASSIGN_OR_RETURN(auto decoded, Decode(row));
  if (!decoded.second) return absl::NotFoundError("not in the log yet");
  return std::move(decoded.first);
}

absl::Status ForgetLostAnchors(const KeyValue& kv, const LogWatch& log,
                               LeafIndex from, Batch& rows) {
  std::vector<std::pair<std::string, PayloadOrigin>> logged;
  RETURN_IF_ERROR(kv.Scan(kPrefix, "", [&](absl::string_view key, ByteView row) {
    auto anchor = Decode(row);
    if (anchor.ok() && anchor->second && anchor->first.leaf >= from)
      logged.emplace_back(std::string(key), std::move(anchor->first));
    return true;
  }));
  for (const auto& [key, origin] : logged) {
    const auto entry = log.EntryAt(origin.leaf);
    const LogEntry promised{
        origin.leaf_time,
        CommitmentEntry{LeafCommitment(origin.leaf_salt, EventBytes(origin))}};
    if (!entry.ok() || *entry != promised) rows.Delete(key);
  }
  return absl::OkStatus();
}

absl::Status VerifyOrigin(const PayloadOrigin& origin, const Digest& document,
                          const MemberId& issuer, const Peers& peers,
                          const LogWatch& log) {
  ASSIGN_OR_RETURN(const SignedAnchor signed_anchor,
                   MakeSignedAnchor(origin.anchor, origin.signature));
  const Anchor& anchor = signed_anchor.anchor;
  if (anchor.network_id != peers.charter.network_id || anchor.member != issuer ||
      anchor.anchor != AnchorDigest(origin.anchor_salt, document, Digest()))
    return absl::PermissionDeniedError("the anchor is of another document");
  ASSIGN_OR_RETURN(const SignerRecord signer,
                   peers.keys.SignerAt(issuer, anchor.kid, origin.leaf,
                                       origin.leaf_time));
  RETURN_IF_ERROR(VerifyAnchor(signed_anchor, signer.key));
  ASSIGN_OR_RETURN(const LogEntry entry, log.EntryAt(origin.leaf));
  const LogEntry expected{
      origin.leaf_time,
      CommitmentEntry{LeafCommitment(origin.leaf_salt, EventBytes(origin))}};
  if (entry != expected)
    return absl::PermissionDeniedError("the log does not hold this anchor");
  return absl::OkStatus();
}

}  // namespace amparo::agent

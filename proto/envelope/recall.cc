#include "proto/envelope/recall.h"

#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/network/fields.h"

namespace amparo {
namespace {

absl::StatusOr<Recall> Decode(const Json& payload) {
  Fields fields(payload);
  const Digest net = fields.Hash("net");
  const auto sender = fields.Parsed<MemberId>("iss", MemberId::Parse);
  const int64_t at = fields.Int("iat", 1, kUnixSecondsMax);
  const auto envelope_id =
      fields.Parsed<EnvelopeId>("envelope_id", EnvelopeId::Parse);
  const Digest digest = fields.Hash("digest");
  RETURN_IF_ERROR(fields.Finish());
  return Recall{net, *sender, *envelope_id, digest, TimeFromUnix(at)};
}

}  // namespace

std::string SignRecall(const Recall& recall, const SigningKey& key) {
  Json payload = Json::object();
  payload["net"] = recall.net.ToString();
  payload["iss"] = recall.sender.text();
  payload["iat"] = UnixSeconds(recall.at);
  payload["envelope_id"] = recall.envelope_id.text();
  payload["digest"] = recall.digest.ToString();
  return SignJws(key, kRecallTyp, payload);
}

absl::StatusOr<VerifiedRecall> VerifyRecall(absl::string_view token,
                                            const KeyLookup& keys) {
  ASSIGN_OR_RETURN(const VerifiedJws jws,
                   VerifyJws(token, kRecallTyp, keys, kReceiptBytesMax));
  ASSIGN_OR_RETURN(Recall recall, Decode(jws.payload));
  return VerifiedRecall{std::move(recall), jws.kid};
}

absl::StatusOr<Recall> PeekRecall(absl::string_view token) {
  ASSIGN_OR_RETURN(const Json payload, PeekJwsPayload(token, kReceiptBytesMax));
  return Decode(payload);
}

}  // namespace amparo

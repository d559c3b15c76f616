#include "proto/envelope/erasure.h"

#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo {
namespace {

constexpr char kParty[] = "party";
constexpr char kCaseOpener[] = "case_opener";

absl::StatusOr<std::vector<LeafIndex>> DecodeLeaves(const Json& payload) {
  const auto list = payload.find("leaves");
  if (list == payload.end() || !list->is_array() || list->empty())
    return absl::InvalidArgumentError(
        "leaves: expected a list that is not empty");
  std::vector<LeafIndex> leaves;
  for (const Json& item : *list) {
    if (!item.is_number_integer() || item.get<int64_t>() < 0)
      return absl::InvalidArgumentError("leaves: expected indexes");
    const LeafIndex leaf(static_cast<uint64_t>(item.get<int64_t>()));
    if (!leaves.empty() && leaf <= leaves.back())
      return absl::InvalidArgumentError("leaves: expected them ascending");
    leaves.push_back(leaf);
  }
  return leaves;
}

absl::StatusOr<Erasure> Decode(const Json& payload) {
  RETURN_IF_ERROR(
      JsonKeysWithin(payload, {"net", "iss", "iat", "authority", "leaves"}));
  ASSIGN_OR_RETURN(const std::string net, JsonString(payload, "net"));
  ASSIGN_OR_RETURN(const std::string issuer, JsonString(payload, "iss"));
  ASSIGN_OR_RETURN(const int64_t at_s, JsonInt(payload, "iat"));
  ASSIGN_OR_RETURN(const std::string authority,
                   JsonString(payload, "authority"));
  if (authority != kParty && authority != kCaseOpener)
    return absl::InvalidArgumentError("authority: unknown");
  ASSIGN_OR_RETURN(const Digest network, Digest::Parse(net));
  ASSIGN_OR_RETURN(MemberId member, MemberId::Parse(issuer));
  ASSIGN_OR_RETURN(std::vector<LeafIndex> leaves, DecodeLeaves(payload));
  return Erasure{network, std::move(member), TimeFromUnix(at_s),
                 authority == kParty ? ErasureAuthority::kParty
                                     : ErasureAuthority::kCaseOpener,
                 std::move(leaves)};
}

}  // namespace

std::string SignErasure(const Erasure& erasure, const SigningKey& key) {
  Json leaves = Json::array();
  for (const LeafIndex leaf : erasure.leaves)
    leaves.push_back(static_cast<int64_t>(leaf.value()));
  return SignJws(
      key, kErasureTyp,
      {{"net", erasure.net.ToString()},
       {"iss", erasure.member.text()},
       {"iat", UnixSeconds(erasure.at)},
       {"authority",
        erasure.authority == ErasureAuthority::kParty ? kParty : kCaseOpener},
       {"leaves", std::move(leaves)}});
}

absl::StatusOr<VerifiedErasure> VerifyErasure(absl::string_view token,
                                              const KeyLookup& keys) {
  ASSIGN_OR_RETURN(const VerifiedJws jws,
                   VerifyJws(token, kErasureTyp, keys, kErasureBytesMax));
  ASSIGN_OR_RETURN(Erasure erasure, Decode(jws.payload));
  return VerifiedErasure{std::move(erasure), jws.kid};
}

absl::StatusOr<Erasure> PeekErasure(absl::string_view token) {
  ASSIGN_OR_RETURN(const Json payload, PeekJwsPayload(token, kErasureBytesMax));
  return Decode(payload);
}

}  // namespace amparo

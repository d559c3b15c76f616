#include "proto/envelope/erasure.h"

#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/network/fields.h"

namespace amparo {
namespace {

constexpr char kParty[] = "party";
constexpr char kCaseOpener[] = "case_opener";

// More would not fit into a token.
constexpr size_t kLeavesMax = 1024;

absl::StatusOr<Erasure> Decode(const Json& payload) {
  Fields fields(payload);
  const Digest net = fields.Hash("net");
  const auto member = fields.Parsed<MemberId>("iss", MemberId::Parse);
  const int64_t at = fields.Int("iat", 1, kUnixSecondsMax);
  const std::string authority = fields.Text("authority", 32);
  if (authority != kParty && authority != kCaseOpener)
    fields.Fail("authority", "expected party or case_opener");
  std::vector<LeafIndex> leaves;
  for (const Json& item : fields.List("leaves", kLeavesMax)) {
    const bool ascends =
        item.is_number_integer() && item.get<int64_t>() >= 0 &&
        (leaves.empty() ||
         leaves.back() < LeafIndex(item.get<uint64_t>()));
    if (!ascends) {
      fields.Fail("leaves", "expected indexes, ascending");
      break;
    }
    leaves.push_back(LeafIndex(item.get<uint64_t>()));
  }
  if (leaves.empty()) fields.Fail("leaves", "expected one at least");
  RETURN_IF_ERROR(fields.Finish());
  return Erasure{net, *member, TimeFromUnix(at),
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

#include "crypto/sd_jwt.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/random.h"

namespace amparo {
namespace {

constexpr size_t kSaltSize = 32;
constexpr size_t kSetNameSize = 16;
constexpr size_t kDisclosuresMax = 64;
constexpr std::array<size_t, 3> kSetSizes = {8, 16, 32};
constexpr char kSlots[] = "sections";
constexpr char kSet[] = "provisions";
constexpr char kDigests[] = "_sd";
constexpr char kAlgorithmClaim[] = "_sd_alg";
constexpr char kAlgorithm[] = "sha-256";

absl::Status Malformed(absl::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("not an sd-jwt: ", what),
                   {.code = "verification_failed"});
}

absl::Status TooLarge() {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "not an sd-jwt: too large", {.code = "too_large"});
}

absl::Status DoesNotFit(absl::string_view what) {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   absl::StrCat("disclosure refused: ", what),
                   {.code = "verification_failed"});
}

absl::Status CannotIssue(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("cannot issue: ", what));
}

// Keys that a reader of RFC 9901 would act upon, wherever they stand.
bool IsReservedKey(absl::string_view key) {
  return key == kDigests || key == "..." || key == kAlgorithmClaim;
}

bool HoldsReservedKey(const Json& value) {
  if (!value.is_structured()) return false;
  for (const auto& [key, item] : value.items())
    if ((value.is_object() && IsReservedKey(key)) || HoldsReservedKey(item))
      return true;
  return false;
}

// ---- issuing

std::string DigestText(absl::string_view disclosure) {
  return ToBase64Url(Sha256(disclosure).bytes());
}

// Nobody who lacks the disclosure can tell it from a real digest, nor has its
// issuer anything that would open it.
std::string DecoyText() {
  return ToBase64Url(Sha256(RandomBytes(kSaltSize)).bytes());
}

absl::StatusOr<Disclosure> MakeDisclosure(const std::string& name,
                                          const Json& value) {
  if (HoldsReservedKey(value))
    return CannotIssue("a value holds a reserved key");
  const std::string text =
      DumpJson(Json::array({ToBase64Url(RandomBytes(kSaltSize)), name, value}));
  // What no verifier would read is not signed.
  if (!ParseJson(text).ok()) return CannotIssue("a value is nested too deep");
  return ToBase64Url(AsBytes(text));
}

absl::Status CheckClaims(const Json& claims) {
  if (!claims.is_object()) return CannotIssue("claims are not an object");
  if (HoldsReservedKey(claims) || claims.contains(kSlots) ||
      claims.contains(kSet) || claims.contains("cnf"))
    return CannotIssue("a claim is reserved");
  return absl::OkStatus();
}

absl::StatusOr<std::string> SignWith(const SigningKey& key,
                                     absl::string_view typ, Json claims,
                                     const char* shape, Json digests) {
  claims[kAlgorithmClaim] = kAlgorithm;
  claims[shape] = std::move(digests);
  if (!ParseJson(DumpJson(claims)).ok())
    return CannotIssue("claims are nested too deep");
  return SignJws(key, typ, claims);
}

// ---- verifying

struct Shape {
  std::vector<std::string> slots;  // empty for the set
  // Each digest and the slot it stands in; no slot for the set.
  std::map<std::string, std::string> slot_of_digest;
  bool is_set = false;
};

// {"_sd": [43 characters of base64url, ...]} and nothing beside it.
absl::StatusOr<std::vector<std::string>> DigestList(const Json& holder) {
  if (!holder.is_object() || holder.size() != 1 || !holder.contains(kDigests) ||
      !holder[kDigests].is_array())
    return Malformed("digests are not where they belong");
  std::vector<std::string> digests;
  for (const Json& item : holder[kDigests]) {
    if (!item.is_string()) return Malformed("a digest is not a string");
    const auto bytes = FromBase64Url(item.get_ref<const std::string&>());
    if (!bytes.ok() || bytes->size() != Digest::kSize)
      return Malformed("a digest is not of 32 bytes");
    digests.push_back(item.get<std::string>());
  }
  return digests;
}

absl::Status ReadSlots(const Json& sections, Shape& shape) {
  if (!sections.is_object()) return Malformed("sections is not an object");
  for (const auto& [name, holder] : sections.items()) {
    if (IsReservedKey(name)) return Malformed("a slot has a reserved name");
    ASSIGN_OR_RETURN(std::vector<std::string> digests, DigestList(holder));
    if (digests.size() != 1) return Malformed("a slot has not one digest");
    if (!shape.slot_of_digest.emplace(std::move(digests[0]), name).second)
      return Malformed("a digest stands twice");
    shape.slots.push_back(name);
  }
  return absl::OkStatus();
}

absl::Status ReadSet(const Json& provisions, Shape& shape) {
  ASSIGN_OR_RETURN(const std::vector<std::string> digests,
                   DigestList(provisions));
  if (std::find(kSetSizes.begin(), kSetSizes.end(), digests.size()) ==
      kSetSizes.end())
    return Malformed("the set is not padded");
  if (!std::is_sorted(digests.begin(), digests.end()))
    return Malformed("the set is not sorted");
  for (const std::string& digest : digests)
    if (!shape.slot_of_digest.emplace(digest, "").second)
      return Malformed("a digest stands twice");
  shape.is_set = true;
  return absl::OkStatus();
}

// Takes the shape out of `claims`, and checks what is left.
absl::StatusOr<Shape> TakeShape(Json& claims) {
  const auto algorithm = JsonString(claims, kAlgorithmClaim);
  if (!algorithm.ok() || *algorithm != kAlgorithm)
    return Malformed("_sd_alg is not sha-256");
  if (claims.contains(kSlots) == claims.contains(kSet))
    return Malformed("neither slots nor set, or both");
  Shape shape;
  if (claims.contains(kSlots))
    RETURN_IF_ERROR(ReadSlots(claims[kSlots], shape));
  else
    RETURN_IF_ERROR(ReadSet(claims[kSet], shape));
  claims.erase(kAlgorithmClaim);
  claims.erase(shape.is_set ? kSet : kSlots);
  if (claims.contains("cnf")) return Malformed("key binding is not used");
  if (HoldsReservedKey(claims)) return Malformed("a reserved key in a claim");
  return shape;
}

struct NamedValue {
  std::string name;
  Json value;
};

absl::StatusOr<NamedValue> ReadDisclosure(const Disclosure& disclosure) {
  const auto text = FromBase64Url(disclosure);
  if (!text.ok()) return Malformed("a disclosure is not base64url");
  auto json = ParseJson(AsText(*text));
  if (!json.ok()) return Malformed("a disclosure is not json");
  if (!json->is_array() || json->size() != 3 || !(*json)[0].is_string() ||
      !(*json)[1].is_string())
    return Malformed("a disclosure is not [salt, name, value]");
  const auto salt = FromBase64Url((*json)[0].get_ref<const std::string&>());
  if (!salt.ok() || salt->size() != kSaltSize)
    return Malformed("a salt is not of 32 bytes");
  if (HoldsReservedKey((*json)[2]))
    return Malformed("a reserved key in a disclosed value");
  return NamedValue{(*json)[1].get<std::string>(), std::move((*json)[2])};
}

bool IsSetName(absl::string_view name) {
  const auto bytes = FromBase32(name);
  return bytes.ok() && bytes->size() == kSetNameSize;
}

// `open`: digests that no disclosure has claimed yet.
absl::Status TakeDisclosure(const Disclosure& disclosure, bool is_set,
                            std::map<std::string, std::string>& open,
                            VerifiedSdJwt& out) {
  const auto place = open.find(DigestText(disclosure));
  if (place == open.end()) return DoesNotFit("no digest is open for it");
  ASSIGN_OR_RETURN(NamedValue named, ReadDisclosure(disclosure));
  if (is_set ? !IsSetName(named.name) : named.name != place->second)
    return DoesNotFit("its name does not belong there");
  if (out.claims.contains(named.name))
    return DoesNotFit("its name is that of a claim");
  if (!out.values.emplace(std::move(named.name), std::move(named.value)).second)
    return DoesNotFit("its name stands twice");
  open.erase(place);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<IssuedSdJwt> IssueSlots(
    const SigningKey& key, absl::string_view typ, const Json& claims,
    const std::vector<std::string>& slot_names,
    const std::map<std::string, Json>& values) {
  RETURN_IF_ERROR(CheckClaims(claims));
  if (slot_names.size() > kDisclosuresMax) return CannotIssue("too many slots");
  IssuedSdJwt issued;
  Json sections = Json::object();
  for (const std::string& name : slot_names) {
    if (IsReservedKey(name) || claims.contains(name) || sections.contains(name))
      return CannotIssue("a slot has the name of another or of a claim");
    std::string digest = DecoyText();
    if (const auto value = values.find(name); value != values.end()) {
      ASSIGN_OR_RETURN(Disclosure disclosure,
                       MakeDisclosure(name, value->second));
      digest = DigestText(disclosure);
      issued.disclosures.emplace(name, std::move(disclosure));
    }
    sections[name][kDigests] = Json::array({std::move(digest)});
  }
  if (issued.disclosures.size() != values.size())
    return CannotIssue("a value has no slot");
  ASSIGN_OR_RETURN(issued.jwt,
                   SignWith(key, typ, claims, kSlots, std::move(sections)));
  return issued;
}

absl::StatusOr<IssuedSet> IssueSet(const SigningKey& key, absl::string_view typ,
                                   const Json& claims,
                                   const std::vector<Json>& values) {
  RETURN_IF_ERROR(CheckClaims(claims));
  const auto size =
      std::lower_bound(kSetSizes.begin(), kSetSizes.end(), values.size());
  if (size == kSetSizes.end()) return CannotIssue("too many values");
  IssuedSet issued;
  std::set<std::string> digests;  // sorted: their order says nothing
  for (const Json& value : values) {
    std::string name = ToBase32(RandomBytes(kSetNameSize));
    ASSIGN_OR_RETURN(Disclosure disclosure, MakeDisclosure(name, value));
    digests.insert(DigestText(disclosure));
    issued.sd_jwt.disclosures.emplace(name, std::move(disclosure));
    issued.names.push_back(std::move(name));
  }
  while (digests.size() < *size) digests.insert(DecoyText());
  Json provisions = Json::object();
  provisions[kDigests] = digests;
  ASSIGN_OR_RETURN(issued.sd_jwt.jwt,
                   SignWith(key, typ, claims, kSet, std::move(provisions)));
  return issued;
}

absl::StatusOr<VerifiedSdJwt> VerifySdJwt(
    absl::string_view jwt, const std::vector<Disclosure>& disclosures,
    absl::string_view typ, const KeyLookup& keys, size_t size_max) {
  if (disclosures.size() > kDisclosuresMax)
    return Malformed("too many disclosures");
  size_t size = jwt.size();
  for (const Disclosure& disclosure : disclosures) size += disclosure.size();
  if (size > size_max) return TooLarge();
  ASSIGN_OR_RETURN(VerifiedJws jws, VerifyJws(jwt, typ, keys, size_max));
  VerifiedSdJwt verified{std::move(jws.payload), jws.kid, {}, {}};
  ASSIGN_OR_RETURN(Shape shape, TakeShape(verified.claims));
  verified.slots = std::move(shape.slots);
  for (const Disclosure& disclosure : disclosures)
    RETURN_IF_ERROR(TakeDisclosure(disclosure, shape.is_set,
                                   shape.slot_of_digest, verified));
  return verified;
}

Digest SdJwtDigest(absl::string_view jwt) { return Sha256(jwt); }

std::string SerializeSdJwt(absl::string_view jwt,
                           const std::vector<Disclosure>& disclosures) {
  std::string text = absl::StrCat(jwt, "~");
  for (const Disclosure& disclosure : disclosures)
    absl::StrAppend(&text, disclosure, "~");
  return text;
}

absl::StatusOr<ParsedSdJwt> ParseSdJwt(absl::string_view text,
                                       size_t size_max) {
  if (text.size() > size_max) return TooLarge();
  // A key-binding JWT would stand after the last one.
  if (text.empty() || text.back() != '~') return Malformed("no ~ at its end");
  ParsedSdJwt parsed;
  size_t begin = 0;
  for (size_t end = 0; begin < text.size(); begin = end + 1) {
    end = text.find('~', begin);
    if (end == begin) return Malformed("an empty part");
    std::string part(text.substr(begin, end - begin));
    if (begin == 0)
      parsed.jwt = std::move(part);
    else
      parsed.disclosures.push_back(std::move(part));
    if (parsed.disclosures.size() > kDisclosuresMax)
      return Malformed("too many disclosures");
  }
  return parsed;
}

}  // namespace amparo

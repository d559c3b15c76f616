#include "crypto/keystore.h"

#include <sodium.h>

#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/status.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/hkdf.h"
#include "crypto/random.h"

namespace amparo {
namespace {

constexpr char kFormat[] = "amparo-keystore";
constexpr absl::string_view kBeginning = R"({"format":"amparo-keystore")";
constexpr int64_t kVersion = 1;
constexpr size_t kSaltSize = crypto_pwhash_argon2id_SALTBYTES;
constexpr size_t kCommitmentSize = 32;

// Argon2id with one lane, as libsodium has it.
struct Cost {
  int64_t passes;
  int64_t memory_kib;
};
constexpr Cost kCheapest = {crypto_pwhash_argon2id_OPSLIMIT_MIN,
                            crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024};
constexpr Cost kDearest = {crypto_pwhash_argon2id_OPSLIMIT_SENSITIVE,
                           crypto_pwhash_argon2id_MEMLIMIT_SENSITIVE / 1024};

Cost CostOf(KeystoreCost cost) {
  switch (cost) {
    case KeystoreCost::kInteractive:
      return {crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE,
              crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE / 1024};
    case KeystoreCost::kModerate:
      return {crypto_pwhash_argon2id_OPSLIMIT_MODERATE,
              crypto_pwhash_argon2id_MEMLIMIT_MODERATE / 1024};
    case KeystoreCost::kSensitive:
      break;
  }
  return kDearest;
}

struct Header {
  Cost cost;
  Bytes salt;
  Bytes commitment;
};

Json ToJson(const Header& header) {
  return {{"format", kFormat},
          {"version", kVersion},
          {"kdf",
           {{"name", "argon2id"},
            {"passes", header.cost.passes},
            {"memory_kib", header.cost.memory_kib}}},
          {"salt", ToBase64Url(header.salt)},
          {"commitment", ToBase64Url(header.commitment)}};
}

std::string AssociatedData(const Header& header) {
  return DumpJson(ToJson(header));
}

// The checksum tells an accident from a wrong passphrase before the costly
// part; against a forger it promises nothing, the AEAD does.
std::string FormatFile(const Header& header, ByteView sealed) {
  Json file = ToJson(header);
  file["sealed"] = ToBase64Url(sealed);
  file["checksum"] = Sha256(DumpJson(file)).ToString();
  return DumpJson(file) + "\n";
}

struct Derived {
  SecretKeyBytes key;
  SecretKeyBytes commitment;  // what the passphrase makes, to be compared
};

absl::StatusOr<Derived> Derive(const SecretBuffer& passphrase, const Cost& cost,
                               ByteView salt) {
  SecretKeyBytes master(32);
  if (crypto_pwhash_argon2id(master.Mutable().data(), master.size(),
                             AsText(passphrase.Expose()).data(),
                             passphrase.size(), salt.data(),
                             static_cast<unsigned long long>(cost.passes),
                             static_cast<size_t>(cost.memory_kib) * 1024,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
    return absl::ResourceExhaustedError(
        "not enough memory to derive the keystore's key");
  ASSIGN_OR_RETURN(
      SecretKeyBytes key,
      HkdfExpand(master, AsBytes("amparo/v1/keystore-key"), kAeadKeySize));
  ASSIGN_OR_RETURN(SecretKeyBytes commitment,
                   HkdfExpand(master, AsBytes("amparo/v1/keystore-commitment"),
                              kCommitmentSize));
  return Derived{std::move(key), std::move(commitment)};
}

absl::Status Damaged() {
  return absl::DataLossError("the keystore file is damaged");
}

struct File {
  Header header;
  Bytes sealed;
};

// The fields, whatever they say.
absl::StatusOr<File> FieldsOf(const Json& json) {
  File file;
  const auto kdf = json.find("kdf");
  if (kdf == json.end() || !kdf->is_object()) return Damaged();
  ASSIGN_OR_RETURN(file.header.cost.passes, JsonInt(*kdf, "passes"));
  ASSIGN_OR_RETURN(file.header.cost.memory_kib, JsonInt(*kdf, "memory_kib"));
  for (const auto& [name, field] :
       {std::pair{"salt", &file.header.salt},
        std::pair{"commitment", &file.header.commitment},
        std::pair{"sealed", &file.sealed}}) {
    ASSIGN_OR_RETURN(const std::string text, JsonString(json, name));
    ASSIGN_OR_RETURN(*field, FromBase64Url(text));
  }
  return file;
}

absl::StatusOr<File> ParseFile(absl::string_view text) {
  const auto json = ParseJson(text);
  if (!json.ok() && absl::StartsWith(text, kBeginning)) return Damaged();
  const auto format = json.ok() && json->is_object()
                          ? JsonString(*json, "format")
                          : absl::InvalidArgumentError("no object");
  if (!format.ok() || *format != kFormat)
    return absl::InvalidArgumentError("not a keystore");
  const auto version = JsonInt(*json, "version");
  if (version.ok() && *version > kVersion)
    return absl::UnimplementedError(
        "the keystore is of a newer version than this program");
  auto file = FieldsOf(*json);
  // One text for one value: whatever else the file says is damage.
  if (!file.ok() || FormatFile(file->header, file->sealed) != text ||
      file->header.salt.size() != kSaltSize ||
      file->header.commitment.size() != kCommitmentSize)
    return Damaged();
  return file;
}

bool Between(int64_t low, int64_t value, int64_t high) {
  return low <= value && value <= high;
}

}  // namespace

absl::StatusOr<std::string> SealKeystore(const SecretBuffer& secret,
                                         const SecretBuffer& passphrase,
                                         KeystoreCost cost) {
  if (passphrase.empty())
    return absl::InvalidArgumentError("an empty passphrase protects nothing");
  Header header{CostOf(cost), RandomBytes(kSaltSize), {}};
  ASSIGN_OR_RETURN(const Derived derived,
                   Derive(passphrase, header.cost, header.salt));
  header.commitment = ToBytes(derived.commitment.Expose());
  return FormatFile(
      header,
      SealLocal(derived.key, AsBytes(AssociatedData(header)), secret.Expose()));
}

absl::StatusOr<SecretBuffer> OpenKeystore(absl::string_view file,
                                          const SecretBuffer& passphrase) {
  ASSIGN_OR_RETURN(const File parsed, ParseFile(file));
  const Header& header = parsed.header;
  if (!Between(kCheapest.passes, header.cost.passes, kDearest.passes) ||
      !Between(kCheapest.memory_kib, header.cost.memory_kib,
               kDearest.memory_kib))
    return absl::InvalidArgumentError("the keystore asks for a cost we refuse");
  const auto wrong = [] {
    return absl::PermissionDeniedError("wrong passphrase");
  };
  if (passphrase.empty()) return wrong();
  ASSIGN_OR_RETURN(const Derived derived,
                   Derive(passphrase, header.cost, header.salt));
  if (!EqualSecret(derived.commitment.Expose(), header.commitment))
    return wrong();
  auto secret =
      OpenLocal(derived.key, AsBytes(AssociatedData(header)), parsed.sealed);
  // The key is the right one, so it is the file that does not fit.
  if (!secret.ok()) return Damaged();
  return secret;
}

}  // namespace amparo

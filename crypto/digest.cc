#include "crypto/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/encoding.h"
#include "base/status.h"

namespace amparo {
namespace {

constexpr absl::string_view kPrefix = "sha256:";

// Fetched once: OpenSSL 3 would look it up anew for every hash.
const EVP_MD* Algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (algorithm == nullptr) std::abort();
  return algorithm;
}

EVP_MD_CTX* AsContext(void* context) {
  return static_cast<EVP_MD_CTX*>(context);
}

}  // namespace

absl::StatusOr<Digest> Digest::FromBytes(ByteView bytes) {
  if (bytes.size() != kSize)
    return absl::InvalidArgumentError("a digest has 32 bytes");
  Digest digest;
  std::copy(bytes.begin(), bytes.end(), digest.bytes_.begin());
  return digest;
}

absl::StatusOr<Digest> Digest::Parse(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, kPrefix))
    return absl::InvalidArgumentError("a digest begins with sha256:");
  ASSIGN_OR_RETURN(const Bytes bytes, FromHex(text));
  return FromBytes(bytes);
}

std::string Digest::ToString() const {
  return absl::StrCat(absl::string_view(kPrefix), ToHex(bytes_));
}

Digest Sha256(ByteView bytes) {
  std::array<uint8_t, Digest::kSize> out;
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, Algorithm(),
                 nullptr) != 1)
    std::abort();
  return Digest(out);
}

LabelledHash::LabelledHash(absl::string_view label)
    : context_(EVP_MD_CTX_new()) {
  if (label.size() < 2 || label.size() > 255) std::abort();
  if (EVP_DigestInit_ex(AsContext(context_), Algorithm(), nullptr) != 1)
    std::abort();
  const uint8_t size = static_cast<uint8_t>(label.size());
  Fixed(ByteView(&size, 1)).Fixed(AsBytes(label));
}

LabelledHash::~LabelledHash() { EVP_MD_CTX_free(AsContext(context_)); }

LabelledHash& LabelledHash::Fixed(ByteView bytes) {
  if (EVP_DigestUpdate(AsContext(context_), bytes.data(), bytes.size()) != 1)
    std::abort();
  return *this;
}

LabelledHash& LabelledHash::Variable(ByteView bytes) {
  return List(bytes.size()).Fixed(bytes);
}

LabelledHash& LabelledHash::List(uint64_t count) {
  std::array<uint8_t, 8> encoded;
  for (size_t i = 0; i < encoded.size(); ++i)
    encoded[i] = static_cast<uint8_t>(count >> (8 * (7 - i)));
  return Fixed(encoded);
}

Digest LabelledHash::Finish() {
  std::array<uint8_t, Digest::kSize> out;
  if (EVP_DigestFinal_ex(AsContext(context_), out.data(), nullptr) != 1)
    std::abort();
  return Digest(out);
}

}  // namespace amparo

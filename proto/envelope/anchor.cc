#include "proto/envelope/anchor.h"

#include <cstdlib>

#include "base/status.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"

namespace amparo {
namespace {

constexpr char kAnchorLabel[] = "amparo/v1/anchor";
constexpr char kManifestLabel[] = "amparo/v1/manifest";
constexpr char kSignatureLabel[] = "amparo/v1/anchor-sig";

// A salt of another size would shift the fields after it.
void RequireSalt(ByteView salt) {
  if (salt.size() != kSaltBytes) std::abort();
}

void AddList(LabelledHash& hash, const std::vector<std::string>& items) {
  hash.List(items.size());
  for (const std::string& item : items) hash.Variable(item);
}

}  // namespace

Digest AnchorDigest(ByteView salt, const Digest& document,
                    const Digest& manifest) {
  RequireSalt(salt);
  return LabelledHash(kAnchorLabel)
      .Fixed(salt)
      .Fixed(document)
      .Fixed(manifest)
      .Finish();
}

Digest ManifestDigest(ByteView salt2,
                      const std::vector<std::string>& disclosures,
                      const std::vector<std::string>& grants) {
  RequireSalt(salt2);
  LabelledHash hash(kManifestLabel);
  hash.Fixed(salt2);
  AddList(hash, disclosures);
  AddList(hash, grants);
  return hash.Finish();
}

SignedAnchor SignAnchor(const Anchor& anchor, const SigningKey& key) {
  Bytes bytes = EncodeAnchor(anchor);
  const Signature signature = Sign(key, kSignatureLabel, bytes);
  return {anchor, std::move(bytes), signature};
}

absl::Status VerifyAnchor(const SignedAnchor& anchor, const VerifyKey& key) {
  if (anchor.anchor.kid != key.Thumbprint())
    return absl::PermissionDeniedError("the anchor names another signing key");
  return VerifyStrict(key, kSignatureLabel, anchor.anchor_bytes,
                      anchor.signature);
}

}  // namespace amparo

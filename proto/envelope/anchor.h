#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "crypto/sign.h"
#include "proto/network/member.h"

// Anchors date a document in the log, naming no recipient (docs/PROTOCOL.md,
// Anchors).

namespace amparo {

struct Anchor {
  Digest network_id;
  MemberId member;
  Digest kid;
  absl::Time created;
  Digest anchor;
  bool operator==(const Anchor&) const = default;
};

struct SignedAnchor {
  Anchor anchor;
  Bytes anchor_bytes;
  Signature signature;
};

// H("amparo/v1/anchor"; salt, SHA-256 of the issuer-signed JWT, manifest).
// `manifest`: zero where an issuer dates its document. Salts have 32 bytes,
// here and below; another size aborts.
Digest AnchorDigest(ByteView salt, const Digest& document,
                    const Digest& manifest);

// H("amparo/v1/manifest"; salt2, [disclosures], [grants]).
Digest ManifestDigest(ByteView salt2,
                      const std::vector<std::string>& disclosures,
                      const std::vector<std::string>& grants);

SignedAnchor SignAnchor(const Anchor& anchor, const SigningKey& key);
// PERMISSION_DENIED unless `key` signed it and is the one it names.
absl::Status VerifyAnchor(const SignedAnchor& anchor, const VerifyKey& key);

}  // namespace amparo

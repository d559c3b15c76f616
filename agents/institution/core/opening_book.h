#pragma once

#include <array>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/kv/kv.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/content/payload.h"

namespace amparo::agent {

// What ties the document of an envelope, sent or received, to the anchor in its
// header, when the payload itself is gone. No section's plaintext is among it:
// it stays when what the envelope brought is erased, for an auditor asks later.
struct PayloadOpening {
  std::array<uint8_t, 32> salt{}, salt2{};
  Digest manifest;
  std::string document;  // empty where the case's contents have it
  // Of an envelope that was received: where its issuer dated the document.
  struct Origin {
    LeafIndex leaf;
    std::array<uint8_t, 32> salt{};
  };
  std::optional<Origin> origin;
};

// Rows beside those of the case. `envelope`: its digest.
void PutOpening(const Digest& envelope, const Payload& payload, Batch& rows);
// NOT_FOUND for an envelope from before openings were kept.
absl::StatusOr<PayloadOpening> OpeningOf(const KeyValue& kv,
                                         const Digest& envelope);

}  // namespace amparo::agent

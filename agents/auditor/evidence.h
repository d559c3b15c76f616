#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "crypto/tlog_proof.h"

namespace amparo::auditor {

inline constexpr size_t kEvidenceBytesMax = 64 << 20;

// A document that a party gives out, with what ties it to its entry in the log.
struct EvidenceDocument {
  std::string token;                     // JWS or issuer-signed JWT
  std::vector<std::string> disclosures;  // those that are shown
  Bytes salt;                            // of the anchor
  Digest manifest;                       // zero where an issuer dated it
};

// One entry of the log with its place in the tree.
struct EvidenceEntry {
  LeafIndex index;
  Bytes entry;
  std::vector<Digest> proof;  // of inclusion under the pack's checkpoint
  // What its commitment hides; empty for entries in the open.
  Bytes salt, event;
  std::string charter;  // the document that a charter's entry names
  // Where the version before asks for witnesses: the checkpoint under which
  // this one came into force, a signed note, and that it is of this log.
  std::string charter_checkpoint;
  std::vector<Digest> consistency;
};

// A pack of evidence about one entry (docs/PROTOCOL.md, Evidence): a log of
// its own that holds only what is needed to judge that entry. Entries in leaf
// order: every charter, the key events of the members concerned, the envelope
// that a receipt is about, the entry itself.
struct Evidence {
  LeafIndex subject;
  std::string checkpoint;  // signed note
  std::vector<EvidenceEntry> entries;
  std::optional<EvidenceDocument> document;

  const EvidenceEntry* Find(LeafIndex index) const;
  // The subject's place in the tree, as C2SP tlog-proof. Precondition: it is
  // among the entries.
  TlogProof Proof() const;
};

// "evidence/1", JSON, one line.
std::string FormatEvidence(const Evidence& evidence);
// INVALID_ARGUMENT for what FormatEvidence does not make, byte for byte.
// Nothing is verified.
absl::StatusOr<Evidence> ParseEvidence(absl::string_view text);

// "evidence_document/1", as a party hands it over.
absl::StatusOr<EvidenceDocument> ParseEvidenceDocument(absl::string_view text);

}  // namespace amparo::auditor

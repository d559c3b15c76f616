#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "crypto/sd_jwt.h"
#include "proto/content/section.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

// A case as one of its parties opens it to an auditor (docs/PROTOCOL.md, Opened
// cases): for each of its entries in the log what ties a document to it.

namespace amparo {

inline constexpr size_t kCaseOpeningBytesMax = size_t{64} << 20;

struct OpenedAnchor {
  LeafIndex leaf;
  Bytes salt;            // 32; of the anchor
  std::string document;  // JWS, or the JWT of an SD-JWT
};

struct OpenedEnvelope {
  LeafIndex leaf;
  Bytes salt;  // 32; of the anchor in its header
  Digest manifest;
  std::string document;
  // Of a document with sections: which went, and for what. The party's word
  // where `content` is kept back.
  std::set<Slot> slots;
  std::string purpose;
  bool first_contact = false;
  // What the manifest is made of: the sections' plaintext is among it.
  struct Content {
    Bytes salt2;  // 32
    std::vector<Disclosure> disclosures;
    std::vector<std::string> grants;
  };
  std::optional<Content> content;
};

struct CaseOpening {
  Digest net;
  CaseId case_id;
  MemberId member;                        // who opens it
  // Of the log that the member knew: it opens nothing behind it. None: written
  // before openings said so.
  std::optional<TreeSize> size;
  std::vector<OpenedAnchor> anchors;      // in leaf order
  std::vector<OpenedEnvelope> envelopes;  // in leaf order
  // "JWT~disclosure~...~", with every provision that the member has.
  std::vector<std::string> grants;
  std::vector<std::string> bases;  // JWS of disclosures without consent
  // Envelopes of the case that the member cannot open.
  std::vector<LeafIndex> unopened;
};

// "case_opening/1", JSON, one line.
std::string FormatCaseOpening(const CaseOpening& opening);
// INVALID_ARGUMENT for what FormatCaseOpening does not make, byte for byte.
// Nothing is verified.
absl::StatusOr<CaseOpening> ParseCaseOpening(absl::string_view text);

}  // namespace amparo

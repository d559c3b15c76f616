#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/auditor/evidence.h"
#include "agents/auditor/report.h"
#include "base/json.h"
#include "crypto/digest.h"

namespace amparo::auditor {

// What a pack of evidence proves. One verdict, with the findings of a replay.
struct EvidenceVerdict {
  Report report;
  TimelineEntry subject;  // what the entry says
  std::string document_typ;
  // Of the document: signed claims, and what was disclosed, by name.
  std::optional<Json> claims;
  std::vector<std::pair<std::string, Json>> disclosed;
  std::string document_signer;  // member
  // A later charter of the pack says that its maker was no member any more.
  bool disowned = false;

  bool ok() const { return report.ok(); }
};

// Judges a pack by nothing but itself and `root`, the hash of charter version
// 1 (without it the pack's own first charter is taken at its word): every
// entry is in the checkpointed tree, the charters follow each other, the keys
// were those of the members at that entry, log key and witnesses signed the
// checkpoint, and the document is the one that the entry is about. Every byte
// of the pack counts: there is nothing in it that is not checked.
//
// What it cannot show is that nothing was left out: another entry, and what
// ended a key or a membership after the last key event, suspension and charter
// that it holds, before the subject or after it. That takes a replay.
EvidenceVerdict JudgeEvidence(const Evidence& evidence,
                              const std::optional<Digest>& root);

Json ToJson(const EvidenceVerdict& verdict);         // "evidence_check/1"
std::string ToText(const EvidenceVerdict& verdict);  // for people

}  // namespace amparo::auditor

#include "agents/auditor/entry_view.h"
#include "agents/auditor/evidence_check.h"
#include "tests/fuzz/signed_payload.h"

// A pack that parses has one spelling; under a root that nobody has, none is
// believed.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  using namespace amparo::auditor;
  Require(InitCrypto().ok());
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto evidence = ParseEvidence(text);
  if (!evidence.ok()) return 0;
  Require(FormatEvidence(*evidence) == text);
  const EvidenceVerdict verdict = JudgeEvidence(*evidence, Digest());
  Require(!verdict.ok());
  Require(!ToText(verdict).empty() && ToJson(verdict)["ok"] == false);
  for (const EvidenceEntry& entry : evidence->entries)
    Require(!ToText(ViewEntry(entry, {})).empty());
  return 0;
}

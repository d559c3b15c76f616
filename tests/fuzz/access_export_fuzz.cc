#include "agents/auditor/access_audit.h"
#include "tests/fuzz/signed_payload.h"

// Any file gets a verdict, and no file that an institution did not sign for the
// log is a good one where the keys are asked for.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  using namespace amparo::auditor;
  Require(InitCrypto().ok());
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const AccessExport log = SplitAccessExport(text);
  const AccessContext nobody{{},
                             [](const std::string&) { return AccessKeys(); }};
  AccessAudit audit;
  audit.asked_log = true;
  audit.verdict = JudgeAccessLog(log, nobody);
  Require(!audit.verdict.ok());
  Require(!ToText(audit).empty() && ToJson(audit)["ok"] == false);
  size_t picked = 0;
  PickRecords(log, {}, [&](const AccessRecord& record) {
    ++picked;
    Require(!ToText(record).empty());
  });
  Require(picked <= log.lines.size());
  return 0;
}

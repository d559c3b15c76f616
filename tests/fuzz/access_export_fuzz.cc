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
  size_t all = 0;
  AccessPick everything({});
  PickRecords(log, everything, [&](const AccessRecord& record) {
    ++all;
    Require(!ToText(record).empty());
  });
  Require(all <= log.lines.size());
  // No question makes more of it than there is, or never ends.
  for (const AccessFilter& filter :
       {AccessFilter{.after_revocation = true},
        AccessFilter{.without_consent = true},
        AccessFilter{.late_reviews = true},
        AccessFilter{.officer = "o", .outside_own_cases = true}}) {
    AccessPick pick(filter);
    if (!LearnRecords(log, pick).ok()) continue;
    size_t picked = 0;
    PickRecords(log, pick, [&](const AccessRecord& record) {
      ++picked;
      if (const auto review = pick.ReviewOf(record))
        Require(!ToText(*review).empty() && ToJson(*review).is_object());
    });
    Require(picked <= all &&
            (picked == 0 || !NotesOn(pick).empty() || filter.after_revocation));
  }
  return 0;
}

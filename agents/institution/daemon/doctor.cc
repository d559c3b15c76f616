#include "agents/institution/daemon/doctor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/institution/daemon/doctor_visit.h"
#include "base/error.h"
#include "base/json.h"

namespace amparo::agent {
namespace {

// The order in which it is read: what comes first may be the cause of what
// comes later. What is not named here stands at the end.
constexpr const char* kOrder[] = {
    "joined",      "directory",      "disk",    "keystore",     "clock",
    "certificate", "enrolment_port", "charter", "members_port", "agent"};

size_t PlaceOf(const Check& check) {
  return static_cast<size_t>(
      std::find(std::begin(kOrder), std::end(kOrder), check.name) -
      std::begin(kOrder));
}

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarn:
      return "warn";
    case Verdict::kFail:
      break;
  }
  return "FAIL";
}

}  // namespace

void DoctorVisit::Fail(const char* name, const absl::Status& status) {
  const ErrorDetail detail = DetailOf(status).value_or(ErrorDetail{});
  Fail(name, std::string(status.message()),
       detail.expected.empty()
           ? detail.hint
           : absl::StrCat("expected: ", detail.expected,
                          detail.hint.empty() ? "" : "; ", detail.hint));
}

std::vector<Check> DoctorVisit::Run() {
  auto config = data_.ReadConfig();
  auto network = config.ok() ? data_.ReadNetwork() : config.status();
  if (!config.ok() || !network.ok()) {
    Fail("joined", config.ok() ? network.status() : config.status());
    return std::move(checks_);
  }
  Ok("joined", absl::StrCat(config->member.text(), " in ", config->network));
  config_ = *std::move(config);
  network_ = *std::move(network);
  LookAtDirectory();
  LookAtDisk();
  LookAtKeystore();
  AskAgent();
  CallEnrolment();
  CallMembersPort();
  LookAtClock();
  LookAtCertificate();
  std::stable_sort(checks_.begin(), checks_.end(),
                   [](const Check& one, const Check& other) {
                     return PlaceOf(one) < PlaceOf(other);
                   });
  return std::move(checks_);
}

std::vector<Check> Examine(const DataDir& data, const std::string& officer,
                           const Clock& clock) {
  return DoctorVisit(data, officer, clock).Run();
}

std::string ChecksText(const std::vector<Check>& checks) {
  std::string text;
  for (const Check& check : checks) {
    std::string name = check.name;
    name.resize(std::max<size_t>(name.size(), 16), ' ');
    std::string verdict = NameOf(check.verdict);
    verdict.resize(6, ' ');
    absl::StrAppend(&text, verdict, name, check.text, "\n");
    if (!check.hint.empty())
      absl::StrAppend(&text, std::string(22, ' '), check.hint, "\n");
  }
  return text;
}

std::string ChecksJson(const std::vector<Check>& checks) {
  Json result;
  result["schema"] = "doctor/1";
  result["checks"] = Json::array();
  for (const Check& check : checks)
    result["checks"].push_back(
        {{"check", check.name},
         {"result", NameOf(check.verdict)},
         {"text", check.text},
         {"hint", check.hint.empty() ? Json() : Json(check.hint)}});
  return DumpJson(result) + "\n";
}

bool AllOk(const std::vector<Check>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.verdict == Verdict::kOk;
  });
}

}  // namespace amparo::agent

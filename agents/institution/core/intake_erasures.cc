#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/erasing.h"
#include "agents/institution/core/intake.h"
#include "agents/institution/core/withdrawn.h"
#include "base/json.h"
#include "base/status.h"

// The erasures this agent owes: noted with the revocation that asks for them,
// done at once or, after a crash, later.

namespace amparo::agent {
namespace {

constexpr char kDuePrefix[] = "in/erase/";

struct Due {
  std::string key;
  CaseId case_id;
  MemberId granter;
  Digest grant;
};

absl::StatusOr<Due> ParseDue(absl::string_view key, ByteView value) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(value)));
  ASSIGN_OR_RETURN(const std::string case_text, JsonString(json, "case"));
  ASSIGN_OR_RETURN(const std::string granter_text, JsonString(json, "granter"));
  ASSIGN_OR_RETURN(const std::string grant_text, JsonString(json, "grant"));
  ASSIGN_OR_RETURN(const CaseId case_id, CaseId::Parse(case_text));
  ASSIGN_OR_RETURN(const MemberId granter, MemberId::Parse(granter_text));
  ASSIGN_OR_RETURN(const Digest grant, Digest::Parse(grant_text));
  return Due{std::string(key), case_id, granter, grant};
}

}  // namespace

void Intake::AddErasureDue(const CaseEvent& event, const Digest& grant,
                           Batch& rows) {
  const Json json = {{"case", event.case_id.text()},
                     {"granter", event.from.text()},
                     {"grant", grant.ToString()}};
  rows.Put(absl::StrCat(kDuePrefix, event.from.text(), "/",
                        event.case_id.text(), "/", event.id.text()),
           AsBytes(DumpJson(json)));
}

absl::Status Intake::EraseUncovered() {
  MutexLock turn(turn_);
  RETURN_IF_ERROR(LogWithdrawn(books_.kv, books_.access_log));
  return EraseDue();
}

absl::Status Intake::EraseDue() {
  std::vector<Due> due;
  absl::Status broken;
  RETURN_IF_ERROR(books_.kv.Scan(kDuePrefix, "",
                                 [&](absl::string_view key, ByteView value) {
                                   auto parsed = ParseDue(key, value);
                                   if (parsed.ok())
                                     due.push_back(*std::move(parsed));
                                   broken.Update(parsed.status());
                                   return true;
                                 }));
  RETURN_IF_ERROR(broken);
  if (due.empty()) return absl::OkStatus();
  const auto signer = books_.keys.Signer();
  if (!signer.ok()) return absl::UnavailableError("no signing key in force");
  // A clock that is wrong shall destroy nothing that only seems to have ended:
  // then by the last time that could be believed.
  const absl::Time now = books_.time.NowFor(absl::UnixEpoch());
  for (const Due& one : due) {
    RETURN_IF_ERROR(amparo::agent::EraseUncovered(
        {books_.cases, books_.outbox, *books_.peers.Now(), *signer, now},
        one.case_id, one.granter, one.grant));
    RETURN_IF_ERROR(books_.cases.Purge(one.case_id));
    Batch rows;
    rows.Delete(one.key);
    RETURN_IF_ERROR(books_.kv.Write(rows));
  }
  books_.wake_courier();
  return absl::OkStatus();
}

}  // namespace amparo::agent

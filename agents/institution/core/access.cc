#include "agents/institution/core/access.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr char kNamesReadPrefix[] = "names-read/";
// Parts of a name that are no name: they would fit too many handles.
constexpr size_t kNamePartMin = 3;

std::vector<Role> RolesFor(Action action) {
  switch (action) {
    case Action::kSeeCases:
    case Action::kOpenContent:
    case Action::kRefer:
      return {Role::kOfficer, Role::kSupervisor, Role::kItSystem};
    case Action::kSeeOfficers:
      return {Role::kAdmin, Role::kSupervisor, Role::kAuditor};
    case Action::kAddOfficers:
      return {Role::kAdmin};
    case Action::kSeeAccessLog:
      return {Role::kSupervisor, Role::kAuditor};
    case Action::kSeeKeys:
      return {Role::kAdmin, Role::kSupervisor, Role::kAuditor};
    case Action::kManageKeys:
      return {Role::kAdmin};
    case Action::kGiveEvidence:
    case Action::kReview:
      return {Role::kSupervisor};
    case Action::kAcknowledgeAlarms:
      return {Role::kAdmin, Role::kSupervisor};
    case Action::kConfirmKeys:  // a person compared words with a person
      return {Role::kOfficer, Role::kSupervisor};
  }
  return {};
}

// U+00C0 to U+00FF without their accents; ' ' is no letter.
constexpr absl::string_view kLatin1 =
    "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty";

// Lower-case words of a-z and 0-9, as a handle could spell the name.
std::vector<std::string> PlainWords(absl::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<uint8_t>(text[at]);
    if (byte < 0x80) {
      const bool kept = absl::ascii_isalnum(byte);
      plain += kept ? absl::ascii_tolower(byte) : ' ';
    } else if (byte == 0xc3 && at + 1 < text.size()) {
      plain += kLatin1[static_cast<uint8_t>(text[++at]) & 0x3f];
    }
  }
  return absl::StrSplit(plain, ' ', absl::SkipEmpty());
}

bool HasPart(const Handle& handle, const std::string& word) {
  const std::vector<std::string> parts = PlainWords(handle.text());
  return word.size() >= kNamePartMin &&
         std::find(parts.begin(), parts.end(), word) != parts.end();
}

// Rather too often than too rarely: one word in common is enough to hide.
bool Fits(absl::string_view person, const Handle& handle) {
  const std::vector<std::string> words = PlainWords(person);
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return HasPart(handle, word);
  });
}

// Rather too rarely: only the family name, the last word, tells who it is.
bool IsSurelyOf(absl::string_view person, const Handle& handle) {
  const std::vector<std::string> words = PlainWords(person);
  return !words.empty() && HasPart(handle, words.back());
}

absl::Status Excluded() {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "the case excludes this officer", {.code = "excluded"});
}

std::set<std::string> NamesRead(const Desk& desk, const CaseId& case_id) {
  const auto row = desk.kv.Get(kNamesReadPrefix + case_id.text());
  if (!row.ok()) return {};
  const auto json = ParseJson(AsText(*row));
  if (!json.ok() || !json->is_array()) return {};
  std::set<std::string> names;
  for (const Json& name : *json)
    if (name.is_string()) names.insert(name.get<std::string>());
  return names;
}

std::vector<std::string> ExcludedNames(const Desk& desk, const Case& entry) {
  std::vector<std::string> names;
  for (const auto& [issuer, exclusion] : entry.state.authority.exclusions)
    if (exclusion.member == desk.cases.self() && exclusion.person)
      names.push_back(*exclusion.person);
  return names;
}

// Whether everybody whom the case excludes by name was found among the
// officers, or a supervisor read the name.
bool NamesAreSettled(const Desk& desk, const Case& entry,
                     const std::vector<std::string>& names) {
  const std::set<std::string> read = NamesRead(desk, entry.state.case_id);
  const std::vector<Officer> officers = desk.officers.List();
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return read.contains(name) ||
           std::any_of(officers.begin(), officers.end(), [&](const Officer& o) {
             return IsSurelyOf(name, o.handle);
           });
  });
}

// `entry` unless it is hidden from the officer; `hidden` then.
absl::StatusOr<std::shared_ptr<const Case>> Unless(
    const Desk& desk, const Officer& officer, absl::string_view what,
    std::shared_ptr<const Case> entry) {
  const absl::Status hidden =
      MakeError(absl::StatusCode::kNotFound, absl::StrCat("no such ", what),
                {.code = "not_found", .field = std::string(what)});
  if (entry == nullptr) return hidden;
  if (NotExcluded(desk, officer, *entry).ok()) return entry;
  RETURN_IF_ERROR(desk.access_log.Write({.officer = officer.id,
                                         .action = "case_search",
                                         .case_id = entry->state.case_id,
                                         .outcome = "excluded"}));
  return hidden;
}

}  // namespace

Moment TakeMoment(const Desk& desk) {
  const auto peers = desk.peers.Now();
  const absl::Time now = TimeFromUnix(UnixSeconds(desk.clock.Now()));
  return {peers, now, CharterAt(peers, now)};
}

absl::Status AllowedByRole(const Officer& officer, Action action) {
  for (const Role role : RolesFor(action))
    if (officer.Has(role)) return absl::OkStatus();
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "none of this officer's roles allows it",
                   {.code = "role_missing",
                    .hint = "an admin gives roles with: amparo officer add"});
}

absl::Status NotExcluded(const Desk& desk, const Officer& officer,
                         const Case& entry) {
  for (const auto& [issuer, exclusion] : entry.state.authority.exclusions)
    if (exclusion.member == desk.cases.self() &&
        exclusion.officer == officer.id)
      return Excluded();
  const std::vector<std::string> names = ExcludedNames(desk, entry);
  if (names.empty()) return absl::OkStatus();
  for (const std::string& name : names)
    if (Fits(name, officer.handle)) return Excluded();
  if (officer.Has(Role::kSupervisor) || NamesAreSettled(desk, entry, names))
    return absl::OkStatus();
  return Excluded();
}

absl::Status NoteNamesRead(const Desk& desk, const Grant& grant) {
  std::set<std::string> names;
  for (const Exclusion* exclusion : grant.exclusions())
    if (exclusion->member == desk.cases.self() && exclusion->person)
      names.insert(*exclusion->person);
  if (names.empty()) return absl::OkStatus();
  names.merge(NamesRead(desk, grant.case_id));
  Json json = Json::array();
  for (const std::string& name : names) json.push_back(name);
  Batch batch;
  batch.Put(kNamesReadPrefix + grant.case_id.text(), AsBytes(DumpJson(json)));
  return desk.kv.Write(batch);
}

absl::Status NotAwaited(const Desk& desk, const CaseState& state) {
  const auto peer = desk.restored.AwaitedFor(state, desk.cases.self());
  if (!peer) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("this agent came back from a backup, and ", peer->text(),
                   " has not answered yet what it sent since"),
      {.code = "invalid_state",
       .hint = "consent may have been revoked meanwhile; if it does not trust "
               "this agent's new key yet, let it compare the key words by phone",
       .retryable = true});
}

absl::StatusOr<std::shared_ptr<const Case>> VisibleCase(const Desk& desk,
                                                        const Officer& officer,
                                                        absl::string_view id) {
  ASSIGN_OR_RETURN(const CaseId found, desk.cases.ResolveCase(id));
  ASSIGN_OR_RETURN(auto entry,
                   Unless(desk, officer, "case", desk.cases.Find(found)));
  RETURN_IF_ERROR(NotAwaited(desk, entry->state));
  return entry;
}

absl::StatusOr<VisibleReferral> FindReferral(const Desk& desk,
                                             const Officer& officer,
                                             absl::string_view id) {
  ASSIGN_OR_RETURN(const ReferralKey found, desk.cases.ResolveReferral(id));
  ASSIGN_OR_RETURN(auto entry, Unless(desk, officer, "referral",
                                      desk.cases.FindByReferral(found)));
  if (entry->state.FindAll(found).empty())
    return absl::DataLossError("a referral that its case does not have");
  RETURN_IF_ERROR(NotAwaited(desk, entry->state));
  return VisibleReferral{found, std::move(entry)};
}

absl::StatusOr<VisibleGrant> FindGrant(const Desk& desk, const Officer& officer,
                                       absl::string_view id) {
  ASSIGN_OR_RETURN(const GrantKey found, desk.cases.ResolveGrant(id));
  ASSIGN_OR_RETURN(auto entry, Unless(desk, officer, "consent",
                                      desk.cases.FindByGrant(found)));
  if (!entry->state.authority.grants.contains(found))
    return absl::DataLossError("a consent that its case does not have");
  return VisibleGrant{found, std::move(entry)};
}

std::vector<std::shared_ptr<const Case>> VisibleCases(const Desk& desk,
                                                      const Officer& officer) {
  std::vector<std::shared_ptr<const Case>> cases = desk.cases.All();
  std::erase_if(cases, [&](const std::shared_ptr<const Case>& entry) {
    return !NotExcluded(desk, officer, *entry).ok();
  });
  return cases;
}

}  // namespace amparo::agent

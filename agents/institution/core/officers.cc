#include "agents/institution/core/officers.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr char kPrefix[] = "officer/";
constexpr std::pair<Role, absl::string_view> kRoles[] = {
    {Role::kOfficer, "officer"},   {Role::kSupervisor, "supervisor"},
    {Role::kAdmin, "admin"},       {Role::kAuditor, "auditor"},
    {Role::kItSystem, "it_system"},
};

Bytes Encode(const Officer& officer) {
  Json json;
  json["id"] = officer.id.text();
  json["handle"] = officer.handle.text();
  json["roles"] = Json::array();
  for (const Role role : officer.roles)
    json["roles"].push_back(std::string(NameOf(role)));
  json["uids"] = officer.uids;
  json["certificate"] =
      officer.certificate_hash ? officer.certificate_hash->ToString() : "";
  return ToBytes(DumpJson(json));
}

absl::StatusOr<Officer> Decode(ByteView bytes) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(bytes)));
  ASSIGN_OR_RETURN(const std::string id_text, JsonString(json, "id"));
  ASSIGN_OR_RETURN(OfficerId id, OfficerId::Parse(id_text));
  ASSIGN_OR_RETURN(const std::string handle_text, JsonString(json, "handle"));
  ASSIGN_OR_RETURN(Handle handle, Handle::Parse(handle_text));
  Officer officer{std::move(id), std::move(handle), {}, {}, std::nullopt};
  for (const Json& name : json.at("roles")) {
    ASSIGN_OR_RETURN(const Role role, ParseRole(name.get<std::string>()));
    officer.roles.push_back(role);
  }
  officer.uids = json.at("uids").get<std::vector<uint32_t>>();
  ASSIGN_OR_RETURN(const std::string hash, JsonString(json, "certificate"));
  if (!hash.empty()) {
    ASSIGN_OR_RETURN(officer.certificate_hash, Digest::Parse(hash));
  }
  return officer;
}

absl::Status NotAnOfficer() {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "this caller is not an officer of this institution",
                   {.code = "not_an_officer",
                    .hint = "an admin adds officers with: amparo officer add"});
}

bool Proves(const CallerClaim& claim, const Officer& officer) {
  const bool by_uid =
      claim.uid && std::find(officer.uids.begin(), officer.uids.end(),
                             *claim.uid) != officer.uids.end();
  const bool by_certificate =
      claim.certificate_hash && officer.certificate_hash == claim.certificate_hash;
  return by_uid || by_certificate;
}

}  // namespace

absl::string_view NameOf(Role role) {
  for (const auto& [value, name] : kRoles)
    if (value == role) return name;
  return "";
}

absl::StatusOr<Role> ParseRole(absl::string_view name) {
  for (const auto& [value, text] : kRoles)
    if (text == name) return value;
  return MakeError(absl::StatusCode::kInvalidArgument, "not a role",
                   {.code = "usage",
                    .field = "role",
                    .expected = "officer, supervisor, admin, auditor or it_system"});
}

bool Officer::Has(Role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

absl::StatusOr<std::unique_ptr<OfficerBook>> OfficerBook::Open(KeyValue& kv) {
  std::unique_ptr<OfficerBook> book(new OfficerBook(kv));
  std::vector<Officer> officers;
  absl::Status decoded;
  RETURN_IF_ERROR(kv.Scan(kPrefix, "", [&](absl::string_view, ByteView value) {
    auto officer = Decode(value);
    decoded = officer.status();
    if (decoded.ok()) officers.push_back(*std::move(officer));
    return decoded.ok();
  }));
  RETURN_IF_ERROR(decoded);
  MutexLock lock(book->mutex_);
  book->officers_ = std::move(officers);
  return book;
}

absl::StatusOr<Officer> OfficerBook::Identify(const CallerClaim& claim) const {
  MutexLock lock(mutex_);
  const Officer* only = nullptr;
  for (const Officer& officer : officers_) {
    if (!Proves(claim, officer)) continue;
    if (officer.handle.text() == claim.handle) return officer;
    // Without a claimed handle the proof must leave one possibility.
    if (claim.handle.empty() && only != nullptr) return NotAnOfficer();
    if (claim.handle.empty()) only = &officer;
  }
  if (only == nullptr) return NotAnOfficer();
  return *only;
}

absl::StatusOr<Officer> OfficerBook::Add(const Handle& handle,
                                         std::vector<Role> roles,
                                         std::vector<uint32_t> uids,
                                         std::optional<Digest> certificate_hash) {
  if (roles.empty())
    return MakeError(absl::StatusCode::kInvalidArgument, "an officer has a role",
                     {.code = "usage", .field = "role", .expected = "at least one"});
  if (uids.empty() && !certificate_hash)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "an officer is known by a uid or a certificate",
                     {.code = "usage", .field = "uid", .expected = "at least one"});
  Officer officer{OfficerId::New(), handle, std::move(roles), std::move(uids),
                  certificate_hash};
  MutexLock lock(mutex_);
  for (const Officer& other : officers_)
    if (other.handle == handle)
      return MakeError(absl::StatusCode::kAlreadyExists, "the handle is in use",
                       {.code = "conflict", .field = "handle"});
  Batch batch;
  batch.Put(kPrefix + officer.id.text(), Encode(officer));
  RETURN_IF_ERROR(kv_.Write(batch));
  officers_.push_back(officer);
  return officer;
}

std::vector<Officer> OfficerBook::List() const {
  MutexLock lock(mutex_);
  return officers_;
}

}  // namespace amparo::agent

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
    {Role::kOfficer, "officer"},    {Role::kSupervisor, "supervisor"},
    {Role::kAdmin, "admin"},        {Role::kAuditor, "auditor"},
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
  if (officer.certificate) {
    json["certificate"] = officer.certificate->hash.ToString();
    json["certificate_from"] = UnixSeconds(officer.certificate->from);
    json["certificate_until"] = UnixSeconds(officer.certificate->until);
  }
  if (officer.removed_at) json["removed_at"] = UnixSeconds(*officer.removed_at);
  return ToBytes(DumpJson(json));
}

absl::Time TimeIn(const Json& json, const char* key) {
  return TimeFromUnix(json.at(key).get<int64_t>());
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
  if (json.contains("certificate_until")) {
    ASSIGN_OR_RETURN(const std::string hash, JsonString(json, "certificate"));
    ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(hash));
    officer.certificate =
        ClientCertificate{digest, TimeIn(json, "certificate_from"),
                          TimeIn(json, "certificate_until")};
  }
  if (json.contains("removed_at"))
    officer.removed_at = TimeIn(json, "removed_at");
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
      claim.certificate_hash && officer.certificate &&
      officer.certificate->hash == *claim.certificate_hash;
  return by_uid || by_certificate;
}

absl::Status Usage(absl::string_view message, const char* field,
                   const char* expected) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.code = "usage", .field = field, .expected = expected});
}

// What an officer must be, whoever else there is.
absl::Status CheckWhole(const Officer& officer, absl::Time now) {
  if (officer.roles.empty())
    return Usage("an officer has a role", "role", "at least one");
  if (officer.uids.empty() == !officer.certificate)
    return Usage("an officer is known by a uid or a certificate", "uid",
                 "either uids or a certificate");
  if (!officer.certificate) return absl::OkStatus();
  // What only people may do is not for whoever holds a file.
  if (officer.roles != std::vector<Role>{Role::kItSystem})
    return Usage("a certificate is for IT systems", "role", "it_system alone");
  if (officer.certificate->until < now)
    return Usage("the certificate has ended", "certificate",
                 "one whose end is to come");
  return absl::OkStatus();
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
  return MakeError(
      absl::StatusCode::kInvalidArgument, "not a role",
      {.code = "usage",
       .field = "role",
       .expected = "officer, supervisor, admin, auditor or it_system"});
}

bool Officer::Has(Role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

absl::StatusOr<std::unique_ptr<OfficerBook>> OfficerBook::Open(
    KeyValue& kv, const Clock& clock) {
  std::unique_ptr<OfficerBook> book(new OfficerBook(kv, clock));
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

bool OfficerBook::Serves(const Officer& officer) const {
  return !officer.removed_at &&
         (!officer.certificate ||
          officer.certificate->IsInItsTime(clock_.Now()));
}

absl::StatusOr<Officer> OfficerBook::Identify(const CallerClaim& claim) const {
  MutexLock lock(mutex_);
  const Officer* only = nullptr;
  for (const Officer& officer : officers_) {
    if (!Proves(claim, officer) || !Serves(officer)) continue;
    if (officer.handle.text() == claim.handle) return officer;
    // Without a claimed handle the proof must leave one possibility.
    if (claim.handle.empty() && only != nullptr) return NotAnOfficer();
    if (claim.handle.empty()) only = &officer;
  }
  if (only == nullptr) return NotAnOfficer();
  return *only;
}

bool OfficerBook::Admits(const Digest& certificate_hash) const {
  MutexLock lock(mutex_);
  return std::any_of(
      officers_.begin(), officers_.end(), [&](const Officer& officer) {
        return officer.certificate &&
               officer.certificate->hash == certificate_hash && Serves(officer);
      });
}

absl::Status OfficerBook::StillServes(const OfficerId& id) const {
  MutexLock lock(mutex_);
  for (const Officer& officer : officers_)
    if (officer.id == id && Serves(officer)) return absl::OkStatus();
  return NotAnOfficer();
}

absl::Status OfficerBook::CheckUnused(const Officer& officer) const {
  for (const Officer& other : officers_) {
    if (other.handle == officer.handle)
      return MakeError(absl::StatusCode::kAlreadyExists,
                       "the handle is or was in use",
                       {.code = "conflict", .field = "handle"});
    // One certificate, one record: who calls must never be a choice. And what
    // was taken from a system does not come back by mistake.
    if (officer.certificate && other.certificate &&
        other.certificate->hash == officer.certificate->hash)
      return MakeError(absl::StatusCode::kAlreadyExists,
                       "the certificate is or was another officer's",
                       {.code = "conflict",
                        .field = "certificate",
                        .hint = "make a new key and certificate"});
  }
  return absl::OkStatus();
}

absl::Status OfficerBook::Store(const Officer& officer) {
  Batch batch;
  batch.Put(kPrefix + officer.id.text(), Encode(officer));
  return kv_.Write(batch);
}

absl::StatusOr<Officer> OfficerBook::Add(
    const Handle& handle, std::vector<Role> roles, std::vector<uint32_t> uids,
    std::optional<ClientCertificate> certificate) {
  Officer officer{OfficerId::New(), handle, std::move(roles), std::move(uids),
                  std::move(certificate)};
  RETURN_IF_ERROR(CheckWhole(officer, clock_.Now()));
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(CheckUnused(officer));
  RETURN_IF_ERROR(Store(officer));
  officers_.push_back(officer);
  return officer;
}

absl::StatusOr<Officer> OfficerBook::Remove(const Handle& handle) {
  MutexLock lock(mutex_);
  const auto found = std::find_if(
      officers_.begin(), officers_.end(), [&](const Officer& officer) {
        return officer.handle == handle && !officer.removed_at;
      });
  if (found == officers_.end())
    return MakeError(absl::StatusCode::kNotFound, "no such officer",
                     {.code = "not_found",
                      .field = "handle",
                      .hint = "see them with: amparo officer list"});
  const auto manages = [](const Officer& officer) {
    return officer.Has(Role::kAdmin) && !officer.removed_at;
  };
  if (manages(*found) &&
      std::count_if(officers_.begin(), officers_.end(), manages) == 1)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "the last admin cannot be removed",
                     {.code = "invalid_state",
                      .field = "handle",
                      .hint = "add another admin first"});
  Officer removed = *found;
  removed.removed_at = TimeFromUnix(UnixSeconds(clock_.Now()));
  RETURN_IF_ERROR(Store(removed));
  *found = removed;
  return removed;
}

std::vector<Officer> OfficerBook::List() const {
  MutexLock lock(mutex_);
  return officers_;
}

}  // namespace amparo::agent

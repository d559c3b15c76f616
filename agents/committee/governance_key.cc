#include "agents/committee/governance_key.h"

#include "absl/strings/str_cat.h"
#include "agents/committee/key_file.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"

namespace amparo::committee {
namespace {

constexpr size_t kKeyFileBytesMax = 64 << 10;

}  // namespace

absl::StatusOr<SigningKey> OpenGovernanceKey(const CharterFolder& folder,
                                             const GovernanceKey& named,
                                             const std::string& pass_file,
                                             Dialog& dialog) {
  const std::string path = folder.KeyPath(named.id);
  if (!FileExists(path))
    return MakeError(
        absl::StatusCode::kNotFound, absl::StrCat(path, " is not there"),
        {.code = "not_found",
         .field = "--key",
         .hint =
             absl::StrCat("sign where ", named.member.text(), " keeps it")});
  RETURN_IF_ERROR(CheckPrivate(path));
  ASSIGN_OR_RETURN(const std::string content, ReadFile(path, kKeyFileBytesMax));
  const std::string beside = folder.PassPath(named.id);
  SecretBuffer passphrase;
  if (!pass_file.empty() || FileExists(beside)) {
    ASSIGN_OR_RETURN(
        passphrase, ReadPassphraseFile(pass_file.empty() ? beside : pass_file));
  } else {
    ASSIGN_OR_RETURN(
        passphrase,
        dialog.Passphrase(
            absl::StrCat(named.id, ", held by ", named.member.text()), false));
  }
  absl::StatusOr<SigningKey> key = OpenKeyFile(content, passphrase);
  if (absl::IsPermissionDenied(key.status()))
    return MakeError(absl::StatusCode::kPermissionDenied,
                     absl::StrCat("wrong passphrase for ", named.id),
                     {.code = "verification_failed", .field = "--pass-file"});
  if (!key.ok()) return Annotate(key.status(), path);
  if (key->verify_key() != named.key)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     absl::StrCat(path, " is not the charter's ", named.id),
                     {.code = "verification_failed"});
  return key;
}

absl::Status CheckIdWasNoOthers(const std::vector<AcceptedCharter>& chain,
                                const GovernanceKey& key) {
  for (const AcceptedCharter& version : chain)
    for (const GovernanceKey& other : version.charter.governance)
      if (other.id == key.id && other.key != key.key)
        return MakeError(
            absl::StatusCode::kAlreadyExists,
            absl::StrCat(key.id, " was another key, of ", other.member.text(),
                         ", in version ", version.charter.version),
            {.code = "conflict",
             .hint = "make the new key under an id that no version had: "
                     "amparo-charter new-key, then add-key"});
  return absl::OkStatus();
}

}  // namespace amparo::committee

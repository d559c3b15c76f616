#include "agents/committee/signatures.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::committee {
namespace {

absl::Status OtherDocument(const char* hint) {
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   "what was signed is not what the draft says",
                   {.code = "conflict", .hint = hint});
}

bool Signed(const MultiJws& jws, const GovernanceKey& key) {
  for (size_t i = 0; i < jws.signatures.size(); ++i)
    if (jws.signatures[i].kid == key.key.Thumbprint() &&
        VerifyMultiJwsEntry(jws, i, kCharterTyp, key.key).ok())
      return true;
  return false;
}

// Members of `charter` that signed; the ids of their keys go to `key_ids`.
uint32_t CountMembers(const MultiJws& jws, const Charter& charter,
                      std::set<std::string>& key_ids) {
  std::set<MemberId> members;
  for (const GovernanceKey& key : charter.governance)
    if (Signed(jws, key)) {
      members.insert(key.member);
      key_ids.insert(key.id);
    }
  return static_cast<uint32_t>(members.size());
}

std::optional<GovernanceKey> NamedBy(
    const Digest& kid, const std::optional<AcceptedCharter>& before,
    const Charter& draft) {
  std::vector<GovernanceKey> keys = draft.governance;
  if (before.has_value())
    keys.insert(keys.end(), before->charter.governance.begin(),
                before->charter.governance.end());
  for (const GovernanceKey& key : keys)
    if (key.key.Thumbprint() == kid) return key;
  return std::nullopt;
}

}  // namespace

absl::Status BadSignature(const std::string& id) {
  return MakeError(
      absl::StatusCode::kPermissionDenied,
      absl::StrCat("the signature under the name of ", id, " does not hold"),
      {.code = "verification_failed",
       .field = "FILE",
       .hint = "ask its holder for the file once more, or to sign "
               "anew"});
}

absl::Status CheckSignatures(const MultiJws& jws,
                             const std::optional<AcceptedCharter>& before,
                             const Charter& draft) {
  for (size_t i = 0; i < jws.signatures.size(); ++i) {
    const auto key = NamedBy(jws.signatures[i].kid, before, draft);
    if (key.has_value() &&
        !VerifyMultiJwsEntry(jws, i, kCharterTyp, key->key).ok())
      return BadSignature(key->id);
  }
  return absl::OkStatus();
}

absl::StatusOr<MultiJws> BeginOrContinue(
    const Charter& draft, const std::optional<MultiJws>& pending) {
  MultiJws jws;
  jws.payload = DumpJson(EncodeCharter(draft));
  if (!pending.has_value()) return jws;
  if (pending->payload != jws.payload)
    return OtherDocument(
        "publish the pending version first, or remove its file and sign anew");
  return *pending;
}

Progress ProgressOf(const MultiJws& jws,
                    const std::optional<AcceptedCharter>& before,
                    const Charter& draft) {
  Progress progress;
  if (before.has_value()) {
    progress.old_have = CountMembers(jws, before->charter, progress.key_ids);
    progress.old_need = before->charter.governance_threshold;
  }
  progress.new_have = CountMembers(jws, draft, progress.key_ids);
  progress.new_need = draft.governance_threshold;
  return progress;
}

const GovernanceKey* FindGovernanceKey(
    const std::string& id, const std::optional<AcceptedCharter>& before,
    const Charter& draft) {
  for (const GovernanceKey& key : draft.governance)
    if (key.id == id) return &key;
  if (before.has_value())
    for (const GovernanceKey& key : before->charter.governance)
      if (key.id == id) return &key;
  return nullptr;
}

absl::StatusOr<int> MergeSignatures(
    const MultiJws& other, const std::optional<AcceptedCharter>& before,
    const Charter& draft, MultiJws& jws) {
  if (other.payload != jws.payload)
    return OtherDocument(
        "compare both with amparo-charter diff; to take the other one, remove "
        "draft.toml and the pending file here");
  RETURN_IF_ERROR(CheckSignatures(other, before, draft));
  int added = 0;
  for (const MultiJws::Entry& signature : other.signatures) {
    const auto key = NamedBy(signature.kid, before, draft);
    if (!key.has_value() || Signed(jws, *key)) continue;
    jws.signatures.push_back(signature);
    ++added;
  }
  return added;
}

}  // namespace amparo::committee

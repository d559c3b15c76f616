#include "agents/committee/signatures.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/json.h"

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

}  // namespace

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
  std::vector<GovernanceKey> keys = draft.governance;
  if (before.has_value())
    keys.insert(keys.end(), before->charter.governance.begin(),
                before->charter.governance.end());
  int added = 0;
  for (size_t i = 0; i < other.signatures.size(); ++i) {
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&](const GovernanceKey& k) {
          return k.key.Thumbprint() == other.signatures[i].kid;
        });
    if (key == keys.end() || Signed(jws, *key) ||
        !VerifyMultiJwsEntry(other, i, kCharterTyp, key->key).ok())
      continue;
    jws.signatures.push_back(other.signatures[i]);
    ++added;
  }
  return added;
}

}  // namespace amparo::committee

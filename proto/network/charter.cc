#include "proto/network/charter.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo {
namespace {

constexpr char kNetworkLabel[] = "amparo/v1/network";

absl::Status Denied(absl::string_view code, absl::string_view why) {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   absl::StrCat("charter: ", why), {.code = std::string(code)});
}

// OK when as many members as `by` asks for signed `jws` with its governance
// keys: an institution with two keys counts once, a key that has run out not at
// all. A bad signature under the name of one of the keys refuses the document,
// however many are good.
absl::Status CheckThreshold(const MultiJws& jws, const Charter& by,
                            std::optional<absl::Time> at) {
  std::map<Digest, const GovernanceKey*> keys;
  for (const GovernanceKey& key : by.governance)
    keys.emplace(key.key.Thumbprint(), &key);
  std::set<MemberId> signers;
  bool ran_out = false;
  for (size_t i = 0; i < jws.signatures.size(); ++i) {
    const auto found = keys.find(jws.signatures[i].kid);
    if (found == keys.end()) continue;
    if (!VerifyMultiJwsEntry(jws, i, kCharterTyp, found->second->key).ok())
      return Denied("verification_failed", "a signature that does not fit");
    if (at && *at >= found->second->until)
      ran_out = true;
    else
      signers.insert(found->second->member);
  }
  if (signers.size() < by.governance_threshold && ran_out)
    return Denied("verification_failed",
                  "too few members signed it with a key that had not run out");
  if (signers.size() < by.governance_threshold)
    return Denied("verification_failed", "too few members signed it");
  return absl::OkStatus();
}

absl::Status CheckLife(const Charter& charter, std::optional<absl::Time> at) {
  if (!at || charter.expires <= *at + kCharterLifeMax) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "charter: it would be in force for over 400 days",
                   {.code = "invalid_form",
                    .field = "/expires",
                    .expected = "at most 400 days after it is published"});
}

// Gone back, repeated or passed over.
absl::Status WrongVersion(uint64_t version, uint64_t current) {
  std::string why = absl::StrCat("charter: version ", version);
  if (version < current)
    absl::StrAppend(&why, " is older than ", current,
                    ", which is in force: a rollback");
  else if (version == current)
    absl::StrAppend(&why, " is in force: another one would be a fork");
  else
    absl::StrAppend(&why, " follows ", current, ": one between is missing");
  return MakeError(absl::StatusCode::kFailedPrecondition, why,
                   {.code = "invalid_state", .field = "version"});
}

struct Parsed {
  MultiJws jws;
  Charter charter;
};

absl::StatusOr<Parsed> ParseDocument(absl::string_view document) {
  ASSIGN_OR_RETURN(MultiJws jws, ParseMultiJws(document, kCharterBytesMax));
  ASSIGN_OR_RETURN(const Json payload, ParseJson(jws.payload));
  ASSIGN_OR_RETURN(Charter charter, DecodeCharter(payload));
  return Parsed{std::move(jws), std::move(charter)};
}

}  // namespace

const Member* Charter::Find(const MemberId& id) const {
  for (const Member& member : members)
    if (member.id == id) return &member;
  return nullptr;
}

bool Charter::AllowsSuite(uint32_t suite) const {
  return suite >= suite_min &&
         std::find(suites_allowed.begin(), suites_allowed.end(), suite) !=
             suites_allowed.end();
}

absl::StatusOr<AcceptedCharter> AcceptFirstCharter(
    absl::string_view document, const Digest& root,
    std::optional<absl::Time> logged_at) {
  const Digest hash = Sha256(document);
  if (hash != root)
    return MakeError(
        absl::StatusCode::kPermissionDenied,
        "charter: it is not the one that was pinned",
        {.code = "wrong_pin",
         .hint = "compare the root with the hash of version 1 in the paper "
                 "protocol: it, the invitation or charter-1.json is of "
                 "another network, or the broker is"});
  ASSIGN_OR_RETURN(Parsed parsed, ParseDocument(document));
  if (parsed.charter.version != 1)
    return absl::FailedPreconditionError("charter: not version 1");
  RETURN_IF_ERROR(CheckThreshold(parsed.jws, parsed.charter, logged_at));
  RETURN_IF_ERROR(CheckLife(parsed.charter, logged_at));
  const Digest network_id =
      LabelledHash(kNetworkLabel).Variable(document).Finish();
  return AcceptedCharter{std::move(parsed.charter), std::string(document), hash,
                         network_id};
}

absl::StatusOr<AcceptedCharter> AcceptNextCharter(
    absl::string_view document, const AcceptedCharter& current,
    std::optional<absl::Time> logged_at) {
  ASSIGN_OR_RETURN(Parsed parsed, ParseDocument(document));
  const Charter& next = parsed.charter;
  if (next.version != current.charter.version + 1)
    return WrongVersion(next.version, current.charter.version);
  if (next.prev_hash != current.hash)
    return Denied("verification_failed", "it follows another charter");
  if (next.net != current.network_id || next.network != current.charter.network)
    return Denied("verification_failed", "it is of another network");
  RETURN_IF_ERROR(CheckThreshold(parsed.jws, current.charter, logged_at));
  RETURN_IF_ERROR(CheckThreshold(parsed.jws, next, logged_at));
  RETURN_IF_ERROR(CheckLife(next, logged_at));
  return AcceptedCharter{std::move(parsed.charter), std::string(document),
                         Sha256(document), current.network_id};
}

absl::StatusOr<Charter> PeekCharter(absl::string_view document) {
  ASSIGN_OR_RETURN(Parsed parsed, ParseDocument(document));
  return std::move(parsed.charter);
}

uint32_t DefaultWitnessQuorum(uint32_t witnesses, uint32_t faulty) {
  return witnesses == 0 ? 0 : (witnesses + faulty) / 2 + 1;
}

}  // namespace amparo

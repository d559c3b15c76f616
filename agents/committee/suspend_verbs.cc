#include "agents/committee/suspend_verbs.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/committee/governance_key.h"
#include "agents/committee/held_suspensions.h"
#include "agents/committee/running_out.h"
#include "agents/committee/signatures.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/network/suspension.h"

namespace amparo::committee {
namespace {

absl::Status Conflict(absl::string_view why, const char* hint) {
  return MakeError(absl::StatusCode::kFailedPrecondition, why,
                   {.code = "conflict", .hint = hint});
}

// The charter in force, as this folder knows it.
absl::StatusOr<AcceptedCharter> InForce(const CharterFolder& folder) {
  ASSIGN_OR_RETURN(std::optional<AcceptedCharter> newest, folder.Newest());
  if (newest.has_value()) return *std::move(newest);
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   "no version of the charter is in this folder",
                   {.code = "invalid_state", .hint = "amparo-charter fetch"});
}

absl::StatusOr<Member> ActiveMember(const AcceptedCharter& accepted,
                                    const std::string& name) {
  const auto id = MemberId::Parse(name);
  const Member* const member = id.ok() ? accepted.charter.Find(*id) : nullptr;
  if (member == nullptr)
    return MakeError(absl::StatusCode::kNotFound,
                     absl::StrCat("the charter names no member ", name),
                     {.code = "unknown_member", .field = "MEMBER"});
  if (member->status != MemberStatus::kActive)
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat(name, " is ", NameOf(member->status), ", not active"),
        {.code = "invalid_state", .field = "MEMBER"});
  return *member;
}

absl::Status CheckNotHeld(const CharterFolder& folder, const Charter& charter,
                          const MemberId& member, absl::Time now) {
  ASSIGN_OR_RETURN(const std::vector<Suspension> held,
                   HeldSuspensions(folder, charter, now));
  for (const Suspension& one : held)
    if (one.member == member)
      return MakeError(
          absl::StatusCode::kFailedPrecondition,
          absl::StrCat(member.text(), " is suspended already, until ",
                       FormatUtc(one.until)),
          {.code = "invalid_state",
           .field = "MEMBER",
           .hint = "two keys stop a member once in 30 days; for longer: "
                   "amparo-charter suspend-member, by a version"});
  return absl::OkStatus();
}

absl::StatusOr<Suspension> Content(const MultiJws& jws) {
  ASSIGN_OR_RETURN(const Json payload, ParseJson(jws.payload));
  return DecodeSuspension(payload);
}

bool Signed(const MultiJws& jws, const GovernanceKey& key) {
  for (size_t i = 0; i < jws.signatures.size(); ++i)
    if (jws.signatures[i].kid == key.key.Thumbprint() &&
        VerifyMultiJwsEntry(jws, i, kSuspensionTyp, key.key).ok())
      return true;
  return false;
}

// What is being signed for `member` and could still be published.
absl::StatusOr<std::optional<MultiJws>> Going(const CharterFolder& folder,
                                              const AcceptedCharter& accepted,
                                              const MemberId& member,
                                              absl::Time now) {
  ASSIGN_OR_RETURN(std::optional<MultiJws> pending,
                   folder.PendingSuspension(member));
  if (!pending.has_value()) return pending;
  ASSIGN_OR_RETURN(const Suspension said, Content(*pending));
  if (said.charter_hash != accepted.hash || said.until <= now) pending.reset();
  return pending;
}

absl::StatusOr<MultiJws> Begin(const AcceptedCharter& accepted,
                               const MemberId& member,
                               std::optional<absl::Time> until,
                               absl::Time now) {
  const absl::Time from = TimeFromUnix(UnixSeconds(now));
  const Suspension suspension{accepted.network_id, accepted.hash, member, from,
                              until.value_or(from + kSuspensionLifeMax)};
  const Json payload = EncodeSuspension(suspension);
  if (!DecodeSuspension(payload).ok())
    return MakeError(
        absl::StatusCode::kInvalidArgument,
        "two keys suspend for seven days at most",
        {.code = "usage",
         .field = "--until",
         .expected = absl::StrCat("a time up to ",
                                  FormatUtc(from + kSuspensionLifeMax)),
         .hint = "for longer: amparo-charter suspend-member"});
  return MultiJws{DumpJson(payload), {}};
}

absl::StatusOr<GovernanceKey> ChooseKey(const CharterFolder& folder,
                                        const Charter& charter,
                                        const MultiJws& jws,
                                        const std::string& id) {
  for (const GovernanceKey& key : charter.governance)
    if (id.empty() ? !Signed(jws, key) && FileExists(folder.KeyPath(key.id))
                   : key.id == id)
      return key;
  if (!id.empty())
    return MakeError(absl::StatusCode::kNotFound,
                     absl::StrCat("the charter has no governance key ", id),
                     {.code = "not_found", .field = "--key"});
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   "every key in this folder has signed",
                   {.code = "invalid_state"});
}

std::vector<std::string> Explain(const Member& member,
                                 const Suspension& suspension) {
  const std::string& id = member.id.text();
  return {
      absl::StrCat("Stops ", id, " (", member.name, ") at once, until ",
                   FormatUtc(suspension.until), "."),
      absl::StrCat("It counts when two institutions have signed it and one "
                   "has published it. From then on nothing is sent to ",
                   id, ", and nothing that it sends is taken."),
      absl::StrCat("It ends by itself. ", id,
                   " keeps its keys and what it received, stays a member, and "
                   "gets then what waited for it."),
      absl::StrCat("To end it earlier, or to go on for longer, the committee "
                   "publishes a version of the charter: reinstate or "
                   "suspend-member. Two keys stop ",
                   id,
                   " once in 30 days, and a third of the members at most "
                   "at one time."),
  };
}

absl::StatusOr<Outcome> OutcomeOf(const MultiJws& jws, const Charter& charter,
                                  const std::string& key_id, absl::Time now) {
  ASSIGN_OR_RETURN(const Suspension suspension, Content(jws));
  ASSIGN_OR_RETURN(const std::set<MemberId> members,
                   SuspensionSigners(jws, charter, now));
  std::vector<std::string> ids;
  for (const GovernanceKey& key : charter.governance)
    if (Signed(jws, key)) ids.push_back(key.id);
  const bool complete = members.size() >= kSuspensionKeysMin;
  const std::string& member = suspension.member.text();
  return Outcome{
      {{"schema", "charter_suspension/1"},
       {"member", member},
       {"from", FormatUtc(suspension.from)},
       {"until", FormatUtc(suspension.until)},
       {"key", key_id.empty() ? Json(nullptr) : Json(key_id)},
       {"signed", ids},
       {"have", members.size()},
       {"need", kSuspensionKeysMin},
       {"complete", complete}},
      absl::StrCat(
          "The suspension of ", member, " is signed by ", members.size(),
          " of ", kSuspensionKeysMin, " members (", absl::StrJoin(ids, ", "),
          ")",
          complete ? absl::StrCat(". Next: amparo-charter publish-suspension ",
                                  member, "\n")
                   : ". Another institution has to sign: it merges "
                     "the pending file, then suspend-now.\n")};
}

}  // namespace

absl::StatusOr<Outcome> SuspendNow(const CharterFolder& folder,
                                   const SuspendNowOptions& options,
                                   Dialog& dialog, const Clock& clock) {
  const absl::Time now = clock.Now();
  ASSIGN_OR_RETURN(const AcceptedCharter accepted, InForce(folder));
  ASSIGN_OR_RETURN(const Member member, ActiveMember(accepted, options.member));
  ASSIGN_OR_RETURN(std::optional<MultiJws> jws,
                   Going(folder, accepted, member.id, now));
  if (!jws.has_value()) {
    ASSIGN_OR_RETURN(jws, Begin(accepted, member.id, options.until, now));
  } else if (options.until.has_value()) {
    return Conflict("one is being signed here, with an end of its own",
                    "sign it without --until, or remove its pending file");
  }
  ASSIGN_OR_RETURN(
      const GovernanceKey named,
      ChooseKey(folder, accepted.charter, *jws, options.sign.key_id));
  RETURN_IF_ERROR(CheckKeyCounts(named, now));
  ASSIGN_OR_RETURN(const Suspension suspension, Content(*jws));
  for (const std::string& line : Explain(member, suspension)) dialog.Tell(line);
  if (!options.sign.yes) {
    ASSIGN_OR_RETURN(
        const bool agreed,
        dialog.Confirm(absl::StrCat("Sign this with ", named.id, " for ",
                                    named.member.text(), "?")));
    if (!agreed)
      return MakeError(absl::StatusCode::kFailedPrecondition, "not signed",
                       {.code = "invalid_state"});
  }
  ASSIGN_OR_RETURN(
      const SigningKey key,
      OpenGovernanceKey(folder, named, options.sign.pass_file, dialog));
  AddSignature(*jws, key, kSuspensionTyp);
  RETURN_IF_ERROR(folder.WritePendingSuspension(member.id, *jws));
  return OutcomeOf(*jws, accepted.charter, named.id, now);
}

absl::StatusOr<Outcome> MergeSuspension(const CharterFolder& folder,
                                        const MultiJws& other,
                                        const Clock& clock) {
  const absl::Time now = clock.Now();
  ASSIGN_OR_RETURN(const AcceptedCharter accepted, InForce(folder));
  ASSIGN_OR_RETURN(const Suspension said, Content(other));
  if (said.net != accepted.network_id)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "it is of another network",
                     {.code = "verification_failed", .field = "FILE"});
  if (said.charter_hash != accepted.hash)
    return Conflict("it was made under another version of the charter",
                    "amparo-charter fetch, there and here, then anew");
  RETURN_IF_ERROR(ActiveMember(accepted, said.member.text()).status());
  ASSIGN_OR_RETURN(std::optional<MultiJws> jws,
                   Going(folder, accepted, said.member, now));
  if (jws.has_value() && jws->payload != other.payload)
    return Conflict("another one is being signed here for this member",
                    "agree on one, and remove the other's pending file");
  if (!jws.has_value()) jws = MultiJws{other.payload, {}};
  int added = 0;
  for (const GovernanceKey& key : accepted.charter.governance)
    for (size_t i = 0; i < other.signatures.size(); ++i) {
      if (other.signatures[i].kid != key.key.Thumbprint()) continue;
      if (!VerifyMultiJwsEntry(other, i, kSuspensionTyp, key.key).ok())
        return BadSignature(key.id);
      if (Signed(*jws, key)) continue;
      jws->signatures.push_back(other.signatures[i]);
      ++added;
    }
  if (jws->signatures.empty())
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "nobody who decides in this network has signed it",
                     {.code = "verification_failed", .field = "FILE"});
  RETURN_IF_ERROR(folder.WritePendingSuspension(said.member, *jws));
  ASSIGN_OR_RETURN(Outcome outcome, OutcomeOf(*jws, accepted.charter, "", now));
  outcome.json["added"] = added;
  outcome.text = absl::StrCat(added, added == 1 ? " signature" : " signatures",
                              " added. ", outcome.text);
  return outcome;
}

absl::StatusOr<Outcome> PublishSuspension(const CharterFolder& folder,
                                          const std::string& member,
                                          EnrolmentPort& broker,
                                          const Clock& clock) {
  ASSIGN_OR_RETURN(const AcceptedCharter accepted, InForce(folder));
  ASSIGN_OR_RETURN(const Member named, ActiveMember(accepted, member));
  RETURN_IF_ERROR(
      CheckNotHeld(folder, accepted.charter, named.id, clock.Now()));
  ASSIGN_OR_RETURN(const std::optional<MultiJws> jws,
                   Going(folder, accepted, named.id, clock.Now()));
  if (!jws.has_value())
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat("no suspension of ", member, " is being signed here"),
        {.code = "invalid_state", .hint = "amparo-charter suspend-now"});
  ASSIGN_OR_RETURN(const std::set<MemberId> signers,
                   SuspensionSigners(*jws, accepted.charter, clock.Now()));
  if (signers.size() < kSuspensionKeysMin)
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat("it is signed by ", signers.size(), " of ",
                     kSuspensionKeysMin, " members"),
        {.code = "invalid_state", .hint = "amparo-charter suspend-now"});
  ASSIGN_OR_RETURN(const Suspension suspension, Content(*jws));
  const std::string document = FormatMultiJws(*jws);
  RETURN_IF_ERROR(broker.PublishSuspension(document));
  RETURN_IF_ERROR(folder.KeepSuspension(named.id, document));
  return Outcome{
      {{"schema", "charter_publish_suspension/1"},
       {"member", member},
       {"until", FormatUtc(suspension.until)}},
      absl::StrCat(member, " is suspended until ", FormatUtc(suspension.until),
                   ". The committee meets before: reinstate or "
                   "suspend-member.\n")};
}

}  // namespace amparo::committee

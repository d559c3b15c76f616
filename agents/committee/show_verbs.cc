#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/committee/changes.h"
#include "agents/committee/held_suspensions.h"
#include "agents/committee/running_out.h"
#include "agents/committee/spare_witnesses.h"
#include "agents/committee/verbs.h"
#include "agents/committee/wording.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/network/words.h"

namespace amparo::committee {
namespace {

absl::Status NoSuchVersion(uint64_t version) {
  return MakeError(absl::StatusCode::kNotFound,
                   absl::StrCat("version ", version, " is not in this folder"),
                   {.code = "not_found",
                    .hint = "amparo-charter fetch brings what is published"});
}

absl::StatusOr<Charter> VersionOf(const std::vector<AcceptedCharter>& chain,
                                  uint64_t version) {
  if (version == 0 || version > chain.size()) return NoSuchVersion(version);
  return chain[version - 1].charter;
}

// " (suspended by two keys until ...)", where one of `held` is of the member.
std::string HeldText(const std::vector<Suspension>& held, const MemberId& id) {
  for (const Suspension& one : held)
    if (one.member == id)
      return absl::StrCat(", but SUSPENDED by two keys until ",
                          FormatUtc(one.until));
  return "";
}

std::string Describe(const Charter& charter,
                     const std::vector<Suspension>& held) {
  std::string text = absl::StrCat(
      "Charter of ", charter.network, ", version ", charter.version, ", \"",
      charter.title, "\"\nEnds ", FormatUtc(charter.expires), "\n",
      charter.governance_threshold, " of these sign a new version:\n");
  for (const GovernanceKey& key : charter.governance)
    absl::StrAppend(&text, "  ", key.id, "  ", key.member.text(), "  until ",
                    FormatUtc(key.until), "  ", GovernanceKeyWords(key.key),
                    "\n");
  absl::StrAppend(&text, "Members:\n");
  for (const Member& member : charter.members)
    absl::StrAppend(&text, "  ", member.id.text(), "  ", NameOf(member.kind),
                    "  ", NameOf(member.status), HeldText(held, member.id),
                    "  ", member.name, "\n");
  absl::StrAppend(
      &text, "Witness quorum: ", charter.witness_quorum,
      charter.witness_quorum == 0 ? " (nobody else watches the log)\n" : "\n",
      "What holds:\n");
  for (const std::string& line : DescribeTerms(charter))
    absl::StrAppend(&text, "  ", line, "\n");
  return text;
}

// What runs out and what is short, first: it is why one looks.
void AddWarnings(const std::optional<Charter>& before, const Charter& charter,
                 absl::Time now, Outcome& outcome) {
  std::vector<std::string> lines = RunningOut(charter, now);
  for (std::string& line : WitnessWarnings(before, charter))
    lines.push_back(std::move(line));
  outcome.json["warnings"] = lines;
  if (!lines.empty())
    outcome.text =
        absl::StrCat(absl::StrJoin(lines, "\n"), "\n\n", outcome.text);
}

Outcome ShowDraft(const Charter& draft) {
  return {{{"schema", "charter_show/1"},
           {"published", false},
           {"version", draft.version},
           {"hash", nullptr},
           {"network_id", nullptr},
           {"network_words", nullptr},
           {"charter", EncodeCharter(draft)},
           {"suspensions", Json::array()}},
          absl::StrCat("DRAFT, not published\n", Describe(draft, {}))};
}

Json ToJson(const std::vector<Suspension>& held) {
  Json rows = Json::array();
  for (const Suspension& one : held)
    rows.push_back({{"member", one.member.text()},
                    {"from", FormatUtc(one.from)},
                    {"until", FormatUtc(one.until)}});
  return rows;
}

Outcome ShowPublished(const AcceptedCharter& accepted,
                      const std::vector<Suspension>& held) {
  const std::string words = NetworkWords(accepted.network_id);
  return {{{"schema", "charter_show/1"},
           {"published", true},
           {"version", accepted.charter.version},
           {"hash", accepted.hash.ToString()},
           {"network_id", accepted.network_id.ToString()},
           {"network_words", words},
           {"charter", EncodeCharter(accepted.charter)},
           {"suspensions", ToJson(held)}},
          absl::StrCat(Describe(accepted.charter, held),
                       "Hash: ", accepted.hash.ToString(),
                       "\nNetwork words: ", words, "\n")};
}

// What Verify() refuses is its result.
Outcome NotOk(absl::string_view code, absl::string_view at,
              absl::string_view text) {
  return {{{"schema", "charter_verify/1"},
           {"ok", false},
           {"code", std::string(code)},
           {"at", std::string(at)},
           {"text", std::string(text)}},
          absl::StrCat("NOT OK: ", text, "\n"),
          ExitOf("verification_failed")};
}

}  // namespace

absl::StatusOr<Outcome> Show(const CharterFolder& folder,
                             std::optional<uint64_t> version, bool draft,
                             const Clock& clock) {
  // A version that is asked for by its number needs only those before it.
  ASSIGN_OR_RETURN(
      const std::vector<AcceptedCharter> chain,
      version.has_value() && !draft ? folder.Chain() : folder.WholeChain());
  if (draft) {
    std::optional<AcceptedCharter> before;
    if (!chain.empty()) before = chain.back();
    ASSIGN_OR_RETURN(const Charter charter, folder.Draft(before));
    Outcome outcome = ShowDraft(charter);
    std::optional<Charter> published;
    if (before.has_value()) published = before->charter;
    AddWarnings(published, charter, clock.Now(), outcome);
    return outcome;
  }
  if (chain.empty() && !version.has_value())
    return MakeError(
        absl::StatusCode::kNotFound,
        "no version of the charter is in this folder",
        {.code = "not_found", .hint = "amparo-charter show --draft, or fetch"});
  const uint64_t wanted = version.value_or(chain.size());
  if (wanted == 0 || wanted > chain.size()) return NoSuchVersion(wanted);
  const Charter& charter = chain[wanted - 1].charter;
  std::vector<Suspension> held;
  if (wanted == chain.size()) {
    ASSIGN_OR_RETURN(held, HeldSuspensions(folder, charter, clock.Now()));
  }
  Outcome outcome = ShowPublished(chain[wanted - 1], held);
  // Of versions that others took the place of, nothing runs out.
  if (wanted == chain.size())
    AddWarnings(charter, charter, clock.Now(), outcome);
  else
    outcome.json["warnings"] = Json::array();
  return outcome;
}

absl::StatusOr<Outcome> Diff(const CharterFolder& folder,
                             std::optional<uint64_t> from,
                             std::optional<uint64_t> to) {
  ASSIGN_OR_RETURN(const std::vector<AcceptedCharter> chain,
                   to.has_value() ? folder.Chain() : folder.WholeChain());
  std::optional<AcceptedCharter> newest;
  if (!chain.empty()) newest = chain.back();
  ASSIGN_OR_RETURN(const Charter after, to.has_value() ? VersionOf(chain, *to)
                                                       : folder.Draft(newest));
  std::optional<Charter> before;
  if (const uint64_t wanted = from.value_or(after.version - 1); wanted > 0) {
    ASSIGN_OR_RETURN(before, VersionOf(chain, wanted));
  }
  const std::vector<std::string> lines = DescribeChanges(before, after);
  return Outcome{
      {{"schema", "charter_diff/1"},
       {"from", before.has_value() ? Json(before->version) : Json(nullptr)},
       {"to", after.version},
       {"changes", lines}},
      absl::StrCat(absl::StrJoin(lines, "\n"), "\n")};
}

absl::StatusOr<Outcome> Verify(const CharterFolder& folder,
                               const std::optional<Digest>& root) {
  const absl::StatusOr<std::vector<AcceptedCharter>> chain = folder.Chain(root);
  if (absl::IsPermissionDenied(chain.status())) {
    const ErrorDetail detail = DetailOf(chain.status()).value_or(ErrorDetail{});
    return NotOk(detail.code, detail.field, chain.status().message());
  }
  RETURN_IF_ERROR(chain.status());
  ASSIGN_OR_RETURN(const std::optional<uint64_t> beyond,
                   folder.BeyondGap(chain->size()));
  if (beyond.has_value()) {
    const uint64_t missing = chain->size() + 1;
    return NotOk(
        "verification_failed", absl::StrCat("version ", missing),
        absl::StrCat(folder.PublishedPath(missing), " is missing, but version ",
                     *beyond,
                     " is here: take it from the broker, by amparo-charter "
                     "fetch"));
  }
  if (chain->empty()) return NoSuchVersion(1);
  const AcceptedCharter& newest = chain->back();
  const std::string words = NetworkWords(newest.network_id);
  return Outcome{
      {{"schema", "charter_verify/1"},
       {"ok", true},
       {"root_pinned", root.has_value()},
       {"root", chain->front().hash.ToString()},
       {"versions", chain->size()},
       {"hash", newest.hash.ToString()},
       {"network_id", newest.network_id.ToString()},
       {"network_words", words},
       {"expires", FormatUtc(newest.charter.expires)}},
      absl::StrCat("OK: versions 1 to ", chain->size(), ", root ",
                   chain->front().hash.ToString(),
                   root.has_value() ? " (pinned)" : " (as this folder says)",
                   "\nNetwork words: ", words, "\n")};
}

}  // namespace amparo::committee

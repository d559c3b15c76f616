#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/committee/verbs.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/network/words.h"

namespace amparo::committee {
namespace {

absl::StatusOr<AcceptedCharter> AcceptFetched(
    const std::string& document, const std::vector<AcceptedCharter>& chain,
    const std::optional<Digest>& root) {
  absl::StatusOr<AcceptedCharter> accepted =
      chain.empty()
          ? AcceptFirstCharter(document, root.value_or(Sha256(document)),
                               std::nullopt)
          : AcceptNextCharter(document, chain.back(), std::nullopt);
  if (accepted.ok()) return accepted;
  const std::string code = ErrorCodeOf(accepted.status());
  return MakeError(
      absl::StatusCode::kPermissionDenied,
      absl::StrCat("what the broker gives as version ", chain.size() + 1,
                   " is refused: ", accepted.status().message()),
      {.code = code == "wrong_pin" ? code : "verification_failed",
       .field = absl::StrCat("version ", chain.size() + 1),
       .hint = DetailOf(accepted.status()).value_or(ErrorDetail{}).hint});
}

}  // namespace

absl::StatusOr<Outcome> Fetch(const CharterFolder& folder,
                              const std::optional<Digest>& root,
                              EnrolmentPort& broker) {
  ASSIGN_OR_RETURN(std::vector<AcceptedCharter> chain, folder.Chain(root));
  const size_t had = chain.size();
  while (true) {
    const absl::StatusOr<std::string> document =
        broker.GetCharter(chain.size() + 1);
    if (absl::IsNotFound(document.status())) break;
    RETURN_IF_ERROR(document.status());
    ASSIGN_OR_RETURN(AcceptedCharter accepted,
                     AcceptFetched(*document, chain, root));
    RETURN_IF_ERROR(
        folder.KeepPublished(accepted.charter.version, accepted.document));
    chain.push_back(std::move(accepted));
  }
  if (chain.empty())
    return MakeError(absl::StatusCode::kNotFound,
                     "the broker has no charter yet", {.code = "not_found"});
  const AcceptedCharter& newest = chain.back();
  ASSIGN_OR_RETURN(const bool own_draft, folder.HasOwnDraft(chain));
  if (!own_draft) RETURN_IF_ERROR(folder.WriteDraft(newest.charter, newest));
  const std::string words = NetworkWords(newest.network_id);
  return Outcome{
      {{"schema", "charter_fetch/1"},
       {"fetched", chain.size() - had},
       {"version", newest.charter.version},
       {"hash", newest.hash.ToString()},
       {"root", chain.front().hash.ToString()},
       {"root_pinned", root.has_value()},
       {"network_id", newest.network_id.ToString()},
       {"network_words", words},
       {"draft_kept", own_draft}},
      absl::StrCat(chain.size() - had, " fetched; the newest version is ",
                   newest.charter.version, ", hash ", newest.hash.ToString(),
                   ".\nNetwork words: ", words,
                   had == 0 && !root.has_value()
                       ? "\nCompare them with the paper protocol: no root was "
                         "pinned.\n"
                       : "\n")};
}

}  // namespace amparo::committee

#include "agents/committee/charter_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agents/committee/changes.h"
#include "agents/committee/draft.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/network/suspension.h"

namespace amparo::committee {
namespace {

constexpr size_t kDraftBytesMax = kCharterBytesMax;
constexpr size_t kNetworkFileBytesMax = 64 << 10;

absl::StatusOr<std::optional<MultiJws>> ReadPending(const std::string& path,
                                                    size_t bytes_max) {
  std::optional<MultiJws> pending;
  if (!FileExists(path)) return pending;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, bytes_max));
  ASSIGN_OR_RETURN(pending, ParseMultiJws(text, bytes_max));
  return pending;
}

// `document` at `path`, and nothing at `pending` any more.
absl::Status Keep(const std::string& path, const std::string& document,
                  const std::string& pending) {
  RETURN_IF_ERROR(WriteFile(path, document, FileMode::kPublic));
  if (std::remove(pending.c_str()) != 0 && errno != ENOENT)
    return absl::InternalError(absl::StrCat(pending, " cannot be removed"));
  return absl::OkStatus();
}

absl::StatusOr<AcceptedCharter> Accept(
    const std::string& document, const std::vector<AcceptedCharter>& chain,
    const std::optional<Digest>& root) {
  if (!chain.empty())
    return AcceptNextCharter(document, chain.back(), std::nullopt);
  return AcceptFirstCharter(document, root.value_or(Sha256(document)),
                            std::nullopt);
}

}  // namespace

std::string CharterFolder::DraftPath() const {
  return absl::StrCat(path_, "/draft.toml");
}
std::string CharterFolder::KeyPath(const std::string& key_id) const {
  return absl::StrCat(path_, "/keys/", key_id, ".key");
}
std::string CharterFolder::PassPath(const std::string& key_id) const {
  return absl::StrCat(path_, "/keys/", key_id, ".pass");
}
std::string CharterFolder::PublicPath(const std::string& key_id) const {
  return absl::StrCat(path_, "/keys/", key_id, ".public");
}
std::string CharterFolder::NetworkPath() const {
  return absl::StrCat(path_, "/network.json");
}
std::string CharterFolder::PublishedPath(uint64_t version) const {
  return absl::StrCat(path_, "/charter-", version, ".json");
}
std::string CharterFolder::PendingPath(uint64_t version) const {
  return absl::StrCat(path_, "/charter-", version, ".pending.json");
}

std::string CharterFolder::SuspensionPath(const MemberId& member) const {
  return absl::StrCat(path_, "/suspension-", member.text(), ".json");
}
std::string CharterFolder::PendingSuspensionPath(const MemberId& member) const {
  return absl::StrCat(path_, "/suspension-", member.text(), ".pending.json");
}

absl::Status CharterFolder::MakeKeyDirectory() const {
  RETURN_IF_ERROR(MakeDirectory(path_, FileMode::kPrivate));
  return MakeDirectory(absl::StrCat(path_, "/keys"), FileMode::kPrivate);
}

absl::StatusOr<NetworkFile> CharterFolder::Network() const {
  if (!FileExists(NetworkPath()))
    return MakeError(absl::StatusCode::kNotFound,
                     absl::StrCat(NetworkPath(), " is not there"),
                     {.code = "not_found",
                      .hint = "copy it, without its founding token, from who "
                              "drafts or from the broker's operator"});
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(NetworkPath(), kNetworkFileBytesMax));
  return ParseNetworkFile(text);
}

absl::StatusOr<std::vector<AcceptedCharter>> CharterFolder::Chain(
    const std::optional<Digest>& root) const {
  std::vector<AcceptedCharter> chain;
  while (FileExists(PublishedPath(chain.size() + 1))) {
    const std::string path = PublishedPath(chain.size() + 1);
    ASSIGN_OR_RETURN(const std::string document,
                     ReadFile(path, kCharterBytesMax));
    absl::StatusOr<AcceptedCharter> accepted = Accept(document, chain, root);
    if (!accepted.ok()) {
      const ErrorDetail detail =
          DetailOf(accepted.status()).value_or(ErrorDetail{});
      return MakeError(
          absl::StatusCode::kPermissionDenied,
          absl::StrCat(path, " is refused: ", accepted.status().message()),
          {.code =
               detail.code == "wrong_pin" ? "wrong_pin" : "verification_failed",
           .field = absl::StrCat("version ", chain.size() + 1),
           .hint = detail.hint});
    }
    chain.push_back(*std::move(accepted));
  }
  return chain;
}

absl::StatusOr<std::optional<uint64_t>> CharterFolder::BeyondGap(
    size_t length) const {
  std::optional<uint64_t> beyond;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path_, error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string file = entry->path().filename().string();
    absl::string_view name = file;
    uint64_t version = 0;
    if (!absl::ConsumePrefix(&name, "charter-") ||
        !absl::ConsumeSuffix(&name, ".json") ||
        !absl::SimpleAtoi(name, &version) || version <= length)
      continue;
    beyond = std::min(beyond.value_or(version), version);
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return absl::InternalError(absl::StrCat(path_, " cannot be listed"));
  return beyond;
}

absl::StatusOr<std::vector<AcceptedCharter>> CharterFolder::WholeChain() const {
  ASSIGN_OR_RETURN(std::vector<AcceptedCharter> chain, Chain());
  ASSIGN_OR_RETURN(const std::optional<uint64_t> beyond,
                   BeyondGap(chain.size()));
  if (!beyond.has_value()) return chain;
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat(PublishedPath(chain.size() + 1), " is missing, but version ",
                   *beyond, " is here"),
      {.code = "invalid_state",
       .field = absl::StrCat("version ", chain.size() + 1),
       .hint = "take it from the broker: amparo-charter fetch"});
}

absl::StatusOr<std::optional<AcceptedCharter>> CharterFolder::Newest() const {
  ASSIGN_OR_RETURN(std::vector<AcceptedCharter> chain, WholeChain());
  std::optional<AcceptedCharter> newest;
  if (!chain.empty()) newest = std::move(chain.back());
  return newest;
}

absl::StatusOr<bool> CharterFolder::HasOwnDraft(
    const std::vector<AcceptedCharter>& chain) const {
  if (!FileExists(DraftPath())) return false;
  std::optional<AcceptedCharter> before;
  if (!chain.empty()) before = chain.back();
  ASSIGN_OR_RETURN(const Charter draft, Draft(before));
  for (const AcceptedCharter& version : chain)
    if (SayTheSame(version.charter, draft)) return false;
  return true;
}

absl::StatusOr<Charter> CharterFolder::Draft(
    const std::optional<AcceptedCharter>& before) const {
  if (!FileExists(DraftPath()))
    return MakeError(absl::StatusCode::kNotFound,
                     "there is no draft in this folder",
                     {.code = "not_found",
                      .hint = "amparo-charter merge of another machine's "
                              "pending file, or fetch, or init"});
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(DraftPath(), kDraftBytesMax));
  absl::StatusOr<Charter> draft = ParseDraft(text, before);
  if (!draft.ok()) return Annotate(draft.status(), DraftPath());
  return draft;
}

absl::Status CharterFolder::WriteDraft(
    const Charter& draft, const std::optional<AcceptedCharter>& before) const {
  const std::string text = FormatDraft(draft);
  RETURN_IF_ERROR(ParseDraft(text, before).status());
  return WriteFile(DraftPath(), text, FileMode::kPublic);
}

absl::StatusOr<std::optional<MultiJws>> CharterFolder::Pending(
    uint64_t version) const {
  return ReadPending(PendingPath(version), kCharterBytesMax);
}

absl::Status CharterFolder::WritePending(uint64_t version,
                                         const MultiJws& jws) const {
  return WriteFile(PendingPath(version), FormatMultiJws(jws),
                   FileMode::kPublic);
}

absl::StatusOr<std::optional<MultiJws>> CharterFolder::PendingSuspension(
    const MemberId& member) const {
  return ReadPending(PendingSuspensionPath(member), kSuspensionBytesMax);
}

absl::Status CharterFolder::WritePendingSuspension(const MemberId& member,
                                                   const MultiJws& jws) const {
  return WriteFile(PendingSuspensionPath(member), FormatMultiJws(jws),
                   FileMode::kPublic);
}

absl::Status CharterFolder::KeepSuspension(const MemberId& member,
                                           const std::string& document) const {
  return Keep(SuspensionPath(member), document, PendingSuspensionPath(member));
}

absl::Status CharterFolder::KeepPublished(uint64_t version,
                                          const std::string& document) const {
  return Keep(PublishedPath(version), document, PendingPath(version));
}

}  // namespace amparo::committee

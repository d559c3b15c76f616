#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/jws.h"
#include "proto/network/charter.h"
#include "proto/network/network_file.h"

namespace amparo::committee {

// The committee's directory: network.json, draft.toml, keys/ID.key, the
// versions as published (charter-N.json) and the one being signed
// (charter-N.pending.json); suspensions by two keys in the same way. One
// process at a time.
class CharterFolder {
 public:
  explicit CharterFolder(std::string path) : path_(std::move(path)) {}

  std::string DraftPath() const;
  std::string KeyPath(const std::string& key_id) const;     // keys/G1.key
  std::string PassPath(const std::string& key_id) const;    // keys/G1.pass
  std::string PublicPath(const std::string& key_id) const;  // keys/G1.public
  std::string NetworkPath() const;
  std::string PublishedPath(uint64_t version) const;
  std::string PendingPath(uint64_t version) const;
  // suspension-MEMBER.json and suspension-MEMBER.pending.json
  std::string SuspensionPath(const MemberId& member) const;
  std::string PendingSuspensionPath(const MemberId& member) const;

  // Makes the directory, and the one for keys in it, for their owner only.
  absl::Status MakeKeyDirectory() const;
  absl::StatusOr<NetworkFile> Network() const;
  // The published versions from 1 on, each verified as the successor of the
  // one before. `root`: pinned hash of version 1; without it this directory is
  // taken at its word. PERMISSION_DENIED names the version that is refused.
  absl::StatusOr<std::vector<AcceptedCharter>> Chain(
      const std::optional<Digest>& root = std::nullopt) const;
  // A published version that lies in this directory beyond one that does not:
  // Chain() ends before it. nullopt without a gap. `length`: of Chain().
  absl::StatusOr<std::optional<uint64_t>> BeyondGap(size_t length) const;
  // Chain(), where nothing lies beyond it: what takes the last of it for the
  // newest asks so. FAILED_PRECONDITION (code "invalid_state") names the
  // version that is missing.
  absl::StatusOr<std::vector<AcceptedCharter>> WholeChain() const;
  // The last of WholeChain(); nullopt before the first.
  absl::StatusOr<std::optional<AcceptedCharter>> Newest() const;

  // True when the draft says something that no published version of `chain`
  // says: work that must not be lost. False without a draft.
  absl::StatusOr<bool> HasOwnDraft(
      const std::vector<AcceptedCharter>& chain) const;
  absl::StatusOr<Charter> Draft(
      const std::optional<AcceptedCharter>& before) const;
  // Refuses a draft that could not be read again.
  absl::Status WriteDraft(const Charter& draft,
                          const std::optional<AcceptedCharter>& before) const;

  // nullopt when nobody signed `version` yet.
  absl::StatusOr<std::optional<MultiJws>> Pending(uint64_t version) const;
  absl::Status WritePending(uint64_t version, const MultiJws& jws) const;
  // The suspension of `member` that is being signed; nullopt when there is
  // none.
  absl::StatusOr<std::optional<MultiJws>> PendingSuspension(
      const MemberId& member) const;
  absl::Status WritePendingSuspension(const MemberId& member,
                                      const MultiJws& jws) const;
  // Keeps a suspension as published and ends its pending one.
  absl::Status KeepSuspension(const MemberId& member,
                              const std::string& document) const;
  // Keeps a published version and ends its pending one.
  absl::Status KeepPublished(uint64_t version,
                             const std::string& document) const;

 private:
  std::string path_;
};

}  // namespace amparo::committee

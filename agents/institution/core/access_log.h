#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "crypto/compact_range.h"
#include "crypto/keys.h"
#include "proto/envelope/access_record.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo::agent {

// The institution's access log: one record for each look at content and each
// decision, hashed into a Merkle tree of its own and written *before* plaintext
// is shown. Thread-safe.
class AccessLog {
 public:
  // All arguments must outlive the log.
  static absl::StatusOr<std::unique_ptr<AccessLog>> Open(KeyValue& kv,
                                                         const Clock& clock,
                                                         std::string network,
                                                         MemberId self);

  // What to write; seq, at, nonce and affiliation are set by the log.
  struct Entry {
    std::optional<OfficerId> officer;  // none: the agent itself
    const char* action;
    std::optional<CaseId> case_id;
    std::vector<std::string> sections;
    std::string grant_or_basis;
    std::string justification;
    const char* outcome = "ok";
    std::string from, supersedes, review;
  };
  // On disk when it returns OK, with `rows` of other books in the same step. An
  // error means: show nothing.
  absl::Status Write(const Entry& entry, Batch rows = {});

  // Records after `after_seq` (exclusive; nullopt for all), at most `limit`.
  absl::StatusOr<std::vector<AccessRecord>> Read(std::optional<uint64_t> after_seq,
                                                 size_t limit) const;

  // Signed checkpoint of the tree, origin "NETWORK/access/MEMBER": what is
  // anchored in the broker's log, hourly and at shutdown.
  absl::StatusOr<std::string> SignedCheckpoint(const SigningKey& key) const;
  // The same with the size it is about, for who reads the records below it.
  struct Head {
    TreeSize size;
    std::string note;
  };
  absl::StatusOr<Head> SignedHead(const SigningKey& key) const;
  TreeSize size() const;

 private:
  AccessLog(KeyValue& kv, const Clock& clock, std::string network, MemberId self);

  KeyValue& kv_;
  const Clock& clock_;
  const std::string origin_;
  const MemberId self_;
  mutable Mutex mutex_;
  CompactRange range_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::agent

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "proto/network/member.h"

namespace amparo::agent {

// Something a person must look at: proof of malice, or a peer that fell
// silent. Kept until it is settled. The closed list is docs/OPERATIONS.md's.
struct AlarmRecord {
  std::string code;  // "gap", "link_fork", "log_rollback", "log_fork", ...
  std::optional<MemberId> member;
  absl::Time since;
};

// The agent's alarms. Thread-safe.
class Alarms {
 public:
  // `kv` must outlive this.
  static absl::StatusOr<std::unique_ptr<Alarms>> Open(KeyValue& kv);

  // Raises once: the first time is kept. `evidence`, if any, is stored with it.
  void Raise(const char* code, const std::optional<MemberId>& member,
             absl::Time now, ByteView evidence = {});
  // What rang is over; without effect when it did not ring.
  void Settle(const char* code, const std::optional<MemberId>& member);
  // NOT_FOUND, naming those that ring, when this one does not.
  absl::Status CheckRings(absl::string_view code,
                          const std::optional<MemberId>& member) const;
  // A person has seen to it: put away, with its evidence, until it happens
  // again. NOT_FOUND when it does not ring.
  absl::Status Acknowledge(absl::string_view code,
                           const std::optional<MemberId>& member);
  // The evidence stored with an alarm that rings. NOT_FOUND when it does not,
  // or has none.
  absl::StatusOr<Bytes> EvidenceOf(absl::string_view code,
                                   const std::optional<MemberId>& member) const;
  std::vector<AlarmRecord> List() const;
  bool Has(const char* code, const std::optional<MemberId>& member) const;

 private:
  using Key = std::pair<std::string, std::string>;  // code, member or ""
  explicit Alarms(KeyValue& kv) : kv_(kv) {}

  KeyValue& kv_;
  mutable Mutex mutex_;
  std::map<Key, absl::Time> since_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::agent

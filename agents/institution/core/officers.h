#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "base/strong_id.h"
#include "crypto/digest.h"
#include "proto/envelope/ids.h"

namespace amparo::agent {

enum class Role { kOfficer, kSupervisor, kAdmin, kAuditor, kItSystem };
absl::string_view NameOf(Role role);  // "officer", ..., "it_system"
absl::StatusOr<Role> ParseRole(absl::string_view name);

using Handle = StrongId<struct HandleTag>;

// A person or system that may use this agent.
struct Officer {
  OfficerId id;
  Handle handle;
  std::vector<Role> roles;
  std::vector<uint32_t> uids;              // of the local system
  std::optional<Digest> certificate_hash;  // of an IT system's client certificate

  bool Has(Role role) const;
};

// Who asks: what the transport proved, and the handle that the caller claims.
struct CallerClaim {
  std::optional<uint32_t> uid;
  std::optional<Digest> certificate_hash;
  std::string handle;  // empty: the only officer of that uid or certificate
};

// The institution's officers. Thread-safe.
class OfficerBook {
 public:
  // `kv` must outlive the book.
  static absl::StatusOr<std::unique_ptr<OfficerBook>> Open(KeyValue& kv);

  // The officer that `claim` proves; PERMISSION_DENIED (code "not_an_officer").
  absl::StatusOr<Officer> Identify(const CallerClaim& claim) const;

  // ALREADY_EXISTS (code "conflict") for a handle in use; INVALID_ARGUMENT
  // without a role, or without uid and certificate.
  absl::StatusOr<Officer> Add(const Handle& handle, std::vector<Role> roles,
                              std::vector<uint32_t> uids,
                              std::optional<Digest> certificate_hash);
  std::vector<Officer> List() const;

 private:
  explicit OfficerBook(KeyValue& kv) : kv_(kv) {}

  KeyValue& kv_;
  mutable Mutex mutex_;
  std::vector<Officer> officers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::agent

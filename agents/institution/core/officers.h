#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "base/strong_id.h"
#include "crypto/client_certificate.h"
#include "crypto/digest.h"
#include "proto/envelope/ids.h"

namespace amparo::agent {

enum class Role { kOfficer, kSupervisor, kAdmin, kAuditor, kItSystem };
absl::string_view NameOf(Role role);  // "officer", ..., "it_system"
absl::StatusOr<Role> ParseRole(absl::string_view name);

using Handle = StrongId<struct HandleTag>;

// A person or system that may use this agent: one known by uids of the local
// system, or one known by its client certificate, which has the role it_system
// and no other.
struct Officer {
  OfficerId id;
  Handle handle;
  std::vector<Role> roles;
  std::vector<uint32_t> uids;
  std::optional<ClientCertificate> certificate;
  std::optional<absl::Time> removed_at = std::nullopt;  // may do nothing since

  bool Has(Role role) const;
};

// Who asks: what the transport proved, and the handle that the caller claims.
struct CallerClaim {
  std::optional<uint32_t> uid;
  std::optional<Digest> certificate_hash;
  std::string handle;  // empty: the only officer of that uid or certificate
};

// The institution's officers. Who was removed stays in the book: the access log
// names it, and neither its handle nor its certificate is given out again.
// Thread-safe.
class OfficerBook {
 public:
  // Both must outlive the book.
  static absl::StatusOr<std::unique_ptr<OfficerBook>> Open(KeyValue& kv,
                                                           const Clock& clock);

  // The officer that `claim` proves now; PERMISSION_DENIED (code
  // "not_an_officer"), also for one that was removed and for a certificate
  // before or after its time.
  absl::StatusOr<Officer> Identify(const CallerClaim& claim) const;
  // Whether Identify would find somebody by this certificate.
  bool Admits(const Digest& certificate_hash) const;
  // The same check for an officer that was identified a while ago.
  absl::Status StillServes(const OfficerId& id) const;

  // ALREADY_EXISTS (code "conflict") for a handle or a certificate that is or
  // was in use; INVALID_ARGUMENT (code "usage") without a role, without uid and
  // certificate or with both, for a certificate with a role of people's, and
  // for one that has ended.
  absl::StatusOr<Officer> Add(const Handle& handle, std::vector<Role> roles,
                              std::vector<uint32_t> uids,
                              std::optional<ClientCertificate> certificate);
  // Takes effect with the next call of that officer. NOT_FOUND;
  // FAILED_PRECONDITION (code "invalid_state") for the last admin.
  absl::StatusOr<Officer> Remove(const Handle& handle);
  // Those who were removed, too.
  std::vector<Officer> List() const;

 private:
  OfficerBook(KeyValue& kv, const Clock& clock) : kv_(kv), clock_(clock) {}

  bool Serves(const Officer& officer) const;
  absl::Status CheckUnused(const Officer& officer) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Store(const Officer& officer);

  KeyValue& kv_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::vector<Officer> officers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::agent

#pragma once

#include <grpcpp/security/auth_context.h>

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "proto/network/member.h"

namespace amparo::broker {

// Who calls at the members' port: what TLS found out, and nothing that a
// request says. Thread-safe.
class Peers {
 public:
  explicit Peers(std::string network) : network_(std::move(network)) {}

  // The member in the client certificate's only URI name,
  // "spiffe://NETWORK/member/ID". UNAUTHENTICATED without one of this network.
  absl::StatusOr<MemberId> Member(const grpc::AuthContext& auth) const;

  // From now on, only in certificates of these CAs, each PEM. A connection
  // lives on when the CA under which it was made is trusted no more; its calls
  // do not.
  void TakeOnly(std::vector<std::string> cas);

 private:
  bool IsTaken(const std::string& certificate_pem) const;

  const std::string network_;
  std::atomic<bool> is_narrow_ = false;
  mutable Mutex mutex_;
  std::shared_ptr<const std::vector<std::string>> cas_ ABSL_GUARDED_BY(mutex_);
  // Certificates that were found to be of one of them.
  mutable std::set<Digest> taken_ ABSL_GUARDED_BY(mutex_);
};

// The caller's certificate, PEM; empty where it showed none.
std::string PeerCertificate(const grpc::AuthContext& auth);

}  // namespace amparo::broker

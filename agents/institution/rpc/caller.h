#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "agents/institution/core/officers.h"
#include "base/executor.h"

namespace amparo::agent {

// The officer that a caller claims to be.
inline constexpr char kOfficerMetadata[] = "amparo-officer";

// Finds the officer behind a call. Thread-safe.
class CallerSource {
 public:
  virtual ~CallerSource() = default;
  // PERMISSION_DENIED (code "not_an_officer").
  virtual absl::StatusOr<Officer> Identify(
      const grpc::CallbackServerContext& context) const = 0;
  // For what goes on after the call began: the same error as soon as the
  // officer was removed, or its certificate ended.
  virtual absl::Status StillServes(const Officer& officer) const = 0;
};

// Callers of a server that one uid alone can reach (UnixListener).
class UidCallers final : public CallerSource {
 public:
  // `officers` must outlive this.
  UidCallers(const OfficerBook& officers, uint32_t uid)
      : officers_(officers), uid_(uid) {}
  absl::StatusOr<Officer> Identify(
      const grpc::CallbackServerContext& context) const override;
  absl::Status StillServes(const Officer& officer) const override {
    return officers_.StillServes(officer.id);
  }

 private:
  const OfficerBook& officers_;
  const uint32_t uid_;
};

// Callers that TLS authenticated by a client certificate. The handshake let in
// only whom the book admits (SystemsPort); each call is asked anew, since a
// connection may outlive that.
class CertificateCallers final : public CallerSource {
 public:
  // `officers` must outlive this.
  explicit CertificateCallers(const OfficerBook& officers)
      : officers_(officers) {}
  absl::StatusOr<Officer> Identify(
      const grpc::CallbackServerContext& context) const override;
  absl::Status StillServes(const Officer& officer) const override {
    return officers_.StillServes(officer.id);
  }

 private:
  const OfficerBook& officers_;
};

// What every service of the agent's API stands on. Both must outlive it.
struct ApiEdge {
  const CallerSource& callers;
  Executor& executor;

  // Runs `work` for the officer who calls, on the executor, and ends the call
  // with what it returns.
  grpc::ServerUnaryReactor* Run(
      grpc::CallbackServerContext* context,
      std::function<absl::Status(const Officer&)> work) const;
};

}  // namespace amparo::agent

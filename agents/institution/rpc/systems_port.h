#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/rpc/agent_services.h"
#include "crypto/x509.h"

namespace amparo::agent {

// The agent's API on a TLS port, for the institution's own systems
// (docs/OPERATIONS.md, IT systems). Whoever does not prove the key of a
// certificate that the officers' book admits is turned away in the handshake:
// no service, health and reflection included, ever hears of it. Thread-safe.
class SystemsPort {
 public:
  // Serves when it returns. `address`: host:port, 0 lets the kernel choose.
  // `identity`: the key and certificate that the port shows.
  // FAILED_PRECONDITION (code "config") when the address cannot be had. Call
  // AllowOnlyTls13 before.
  static absl::StatusOr<std::unique_ptr<SystemsPort>> Listen(
      const std::string& address, const TlsKeyPair& identity,
      const ApiParts& parts);
  // As Shutdown with no time to spare.
  ~SystemsPort();

  int port() const { return port_; }

  // Takes no more calls, lets running ones end within `grace`.
  void Shutdown(absl::Duration grace);

 private:
  explicit SystemsPort(const ApiParts& parts);

  AgentServices services_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace amparo::agent

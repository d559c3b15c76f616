#pragma once

#include <grpcpp/impl/service_type.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/grpc/credentials.h"

namespace amparo::broker {

// One listening port with its services, the health service and reflection.
// Thread-safe.
class RpcServer {
 public:
  struct Options {
    std::string address;  // host:port (0: the kernel chooses) or "unix:PATH"
    std::shared_ptr<grpc::ServerCredentials> credentials;
    std::vector<grpc::Service*> services;  // outlive the server
    std::vector<std::string> names;        // of the services, for health checks
    int message_bytes_max = 0;
    int streams_per_connection_max = 0;
    // Against strangers, who cost what they hold open. gRPC counts no
    // connections, but ends those that do nothing, refuses new ones while the
    // rest has used up its memory, and closes the old. Zero: gRPC's defaults.
    struct Strangers {
      size_t memory_bytes_max = 0;               // of all connections together
      absl::Duration handshake = kHandshakeMax;  // TLS must be done within
      absl::Duration idle;                       // without a call
      absl::Duration age;  // of any connection, calls included
    };
    Strangers strangers = {};
  };
  // Serves when it returns. UNAVAILABLE when the address cannot be had.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(
      const Options& options);
  // As Shutdown without grace.
  ~RpcServer();

  int port() const { return port_; }

  // What the health service says of the process and of every service.
  void SetServing(bool serving);

  // Takes no new call, waits for those under way, cancels what is left after
  // `grace`. NOT_SERVING from its start on.
  void Shutdown(absl::Duration grace);

 private:
  RpcServer(std::unique_ptr<grpc::Server> server, int port,
            std::vector<std::string> names);

  const std::unique_ptr<grpc::Server> server_;
  const int port_;
  const std::vector<std::string> names_;
};

}  // namespace amparo::broker

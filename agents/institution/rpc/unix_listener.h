#pragma once

#include <grpcpp/server.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace amparo::agent {

// gRPC on a Unix socket whose callers are known by their uid. gRPC 1.51 does
// not tell who connected, so this accepts each connection itself, asks the
// kernel (SO_PEERCRED), and hands the descriptor to the one grpc::Server that
// serves that uid and nobody else. Thread-safe.
class UnixListener {
 public:
  // Builds the server of a uid: its services, no port. Called once per uid, on
  // the accepting thread; null refuses the connection.
  using MakeServer = std::function<std::unique_ptr<grpc::Server>(uint32_t uid)>;

  // Listens on `path` (107 bytes at most), mode 0660. A socket file that nobody
  // listens on is replaced; FAILED_PRECONDITION when somebody does.
  static absl::StatusOr<std::unique_ptr<UnixListener>> Create(
      const std::string& path, MakeServer make_server);
  // As Shutdown with no time to spare.
  ~UnixListener();

  // Takes no more connections, lets running calls end within `grace`, removes
  // the socket.
  void Shutdown(absl::Duration grace);

 private:
  UnixListener(std::string path, int listen_fd, int wake_fd, MakeServer make_server);
  void Accept();
  void Serve(int connection);

  const std::string path_;
  const int listen_fd_;
  const int wake_fd_;  // readable when the accepting thread must end
  const MakeServer make_server_;
  Mutex mutex_;
  std::map<uint32_t, std::unique_ptr<grpc::Server>> servers_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
  std::atomic<bool> down_ = false;
};

}  // namespace amparo::agent

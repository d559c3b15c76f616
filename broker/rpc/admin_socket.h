#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "amparo/v1/admin.grpc.pb.h"

namespace amparo::broker {

// The socket in a data directory, by a name that fits a socket address however
// deep the directory lies. Holds the directory open. Immutable.
class AdminSocket {
 public:
  // `path`: of the socket; its directory must exist.
  static absl::StatusOr<AdminSocket> At(const std::string& path);
  AdminSocket(AdminSocket&& other) noexcept;
  AdminSocket& operator=(AdminSocket&&) = delete;
  ~AdminSocket();

  const std::string& address() const { return address_; }  // "unix:..."

 private:
  AdminSocket(std::string address, int directory);
  std::string address_;
  int directory_;  // -1: none
};

// The operator's end of AdminService. Every call is UNAVAILABLE when no broker
// runs. Thread-safe.
class AdminClient {
 public:
  explicit AdminClient(AdminSocket socket);

  // Whether a broker is there, serving or not.
  bool Answers(absl::Duration patience);
  // OK when the health service says SERVING; asks again until `patience` ends.
  absl::Status CheckServing(absl::Duration patience);
  absl::StatusOr<v1::InviteResponse> Invite(const std::string& member,
                                            bool new_identity);
  // Takes as long as the log is large.
  absl::StatusOr<v1::ExportResponse> Export(const std::string& directory);
  absl::StatusOr<v1::BackupResponse> Backup(const std::string& directory);
  absl::StatusOr<v1::CheckResponse> Check();
  absl::StatusOr<v1::NewCaResponse> NewCa();
  absl::StatusOr<v1::SwitchCaResponse> SwitchCa(bool at_once);

 private:
  absl::StatusOr<bool> AskHealth(absl::Duration patience, bool wait_for_it);

  const AdminSocket socket_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace amparo::broker

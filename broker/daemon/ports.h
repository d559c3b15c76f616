#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "broker/core/enrolment.h"
#include "broker/daemon/ca_desk.h"
#include "broker/daemon/config.h"
#include "broker/daemon/data_dir.h"
#include "broker/daemon/listen_file.h"
#include "broker/daemon/wired_core.h"
#include "broker/rpc/admin_service.h"
#include "broker/rpc/admin_socket.h"
#include "broker/rpc/enrolment_service.h"
#include "broker/rpc/log_service.h"
#include "broker/rpc/open_streams.h"
#include "broker/rpc/peer.h"
#include "broker/rpc/relay_service.h"
#include "broker/rpc/server.h"
#include "proto/network/network_file.h"

namespace amparo::broker {

// The broker's three ways in: the members' port, the enrolment port, and the
// operator's socket; with the threads that their calls run on. Listen and
// Shutdown by one thread, the others thread-safe in between.
class Ports {
 public:
  // All must outlive the ports.
  Ports(WiredCore& core, const DataDir& data, const BrokerConfig& config,
        const Clock& clock, CallObserver& observer);
  ~Ports();

  // Opens all three and writes listen.json and network.json's addresses.
  // `metrics`, `log_http`: addresses that listen.json is to say, or empty.
  // UNAVAILABLE when a port cannot be had.
  absl::Status Listen(const std::string& metrics, const std::string& log_http);

  // network.json as it is now, with the addresses that others use.
  NetworkFile network() const;

  // A new certificate of the server's, in its files; the ports follow.
  absl::Status RenewServerCertificate();

  void SetServing(bool serving);
  // Ends the subscriptions of each member that `verdict` has an error for.
  void EndSubscriptions(
      const std::function<absl::Status(const MemberId&)>& verdict);
  // Ends every stream with `why`, takes no new call, lets those under way end
  // for at most `grace`.
  void Shutdown(const absl::Status& why, absl::Duration grace);

 private:
  absl::Status ListenForMembers(const ListenFile& last);
  absl::Status ListenForEnrolment(const ListenFile& last);
  absl::Status ListenForOperator();
  // Both go on where one before was stopped half-way.
  absl::StatusOr<v1::NewCaResponse> NewCa();
  absl::StatusOr<v1::SwitchCaResponse> SwitchCa(bool at_once);
  // The ports and the members' note, by `network` of the data directory. The CA
  // that it does not name any more is refused first, whatever fails then.
  absl::Status ShowNextCa(const NetworkFile& network);
  absl::Status ShowOnly(const NetworkFile& network);
  // Until the ports show certificates of the CA `shown` and the members' one
  // takes those of `taken`. UNAVAILABLE when they do not.
  absl::Status AwaitPorts(const std::string& shown,
                          const std::string& taken) const;

  const DataDir& data_;
  const BrokerConfig& config_;
  NetworkFile network_;
  ListenFile where_;

  const Clock& clock_;
  const Enrolment& enrolment_;
  Mutex certificate_;  // one writer of the server's key and certificate
  CaDesk ca_;
  Peers peers_;
  Executor executor_;         // verifies signatures, reads
  Executor stream_executor_;  // reads for streams
  // Of their own, so that nobody outside can hold members up.
  Executor enrol_executor_;
  Executor admin_executor_;
  OpenStreams mailbox_streams_;
  OpenStreams log_streams_;

  RelayService relay_service_;
  LogService log_service_;
  EnrolmentService enrolment_service_;
  AdminService admin_service_;

  std::optional<AdminSocket> socket_;
  std::unique_ptr<RpcServer> members_, enrol_, admin_;
};

}  // namespace amparo::broker

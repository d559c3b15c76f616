#include "broker/daemon/ports.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/status.h"
#include "broker/daemon/backup.h"
#include "broker/daemon/export.h"
#include "broker/daemon/founding.h"
#include "broker/daemon/inviting.h"
#include "proto/envelope/limits.h"
#include "proto/grpc/credentials.h"

namespace amparo::broker {
namespace {

// A message is an envelope and a few bytes around it; or a charter.
constexpr size_t kMessageOverhead = 4096;
constexpr int kMembersStreamsMax = 1024;  // calls at a time on a connection
constexpr int kEnrolStreamsMax = 16;
// Anybody may call there. A charter of the greatest size fits several times.
constexpr size_t kEnrolMemoryMax = 64 << 20;
constexpr absl::Duration kEnrolHandshake = absl::Seconds(10);
constexpr absl::Duration kEnrolIdle = absl::Seconds(30);
constexpr absl::Duration kEnrolAge = absl::Minutes(2);
constexpr size_t kStreamQueueMax = 1 << 16;  // one task a stream at most
constexpr size_t kEnrolQueueMax = 64;
constexpr size_t kAdminQueueMax = 8;
constexpr size_t kListenFileMax = 64 << 10;

size_t Threads() {
  return std::max<size_t>(2, std::thread::hardware_concurrency());
}

// Listens where it did last time when the port is the kernel's choice, else
// where the kernel says.
absl::StatusOr<std::unique_ptr<RpcServer>> StartAt(RpcServer::Options options,
                                                   const std::string& address,
                                                   const std::string& last) {
  options.address = KeptAddress(address, last);
  auto server = RpcServer::Start(options);
  if (server.ok() || options.address == address) return server;
  options.address = address;
  return RpcServer::Start(options);
}

std::optional<RebuiltRange> RebuiltIn(const Store& store) {
  const auto range = store.Rebuilt();
  return range.ok() ? std::optional<RebuiltRange>(*range) : std::nullopt;
}

ListenFile ReadLast(const DataDir& data) {
  const auto text = ReadFile(data.listen_file(), kListenFileMax);
  if (!text.ok()) return {};
  auto last = ParseListenFile(*text);
  return last.ok() ? *std::move(last) : ListenFile();
}

}  // namespace

Ports::Ports(WiredCore& core, const DataDir& data, const BrokerConfig& config,
             const Clock& clock, CallObserver& observer)
    : data_(data),
      config_(config),
      network_(core.data.network),
      clock_(clock),
      enrolment_(core.enrolment),
      ca_(data, core.data.network, std::move(core.data.cas), core.data.log_keys,
          clock),
      peers_(config.network),
      executor_(Threads(), kCommitQueueMax),
      stream_executor_(2, kStreamQueueMax),
      enrol_executor_(1, kEnrolQueueMax),
      admin_executor_(1, kAdminQueueMax),
      mailbox_streams_(config.member_streams_max),
      log_streams_(config.member_streams_max),
      relay_service_(
          {.peers = peers_,
           .notary = core.notary,
           .mailbox = {core.relay, core.feed, mailbox_streams_,
                       stream_executor_},
           .renew = [this, &core](const MemberId& member,
                                  const v1::RenewCertificateRequest& request)
               -> absl::StatusOr<std::string> {
             RETURN_IF_ERROR(core.admission.CountOperation(member));
             RETURN_IF_ERROR(enrolment_.MayRenew(member, request.csr_pem(),
                                                 request.request()));
             return ca_.Certify(member, request.csr_pem());
           },
           .ca_note = [this, &core](const MemberId& member,
                                    const std::string& certificate_pem)
               -> absl::StatusOr<std::string> {
             RETURN_IF_ERROR(core.admission.CountOperation(member));
             ca_.Met(member, certificate_pem);
             return ca_.Note();
           },
           .executor = executor_,
           .observer = &observer}),
      log_service_({.peers = peers_,
                    .admission = core.admission,
                    .log = core.log,
                    .checkpointer = core.checkpointer,
                    .witnesses = core.witnesses,
                    .watchers = core.watchers,
                    .streams = log_streams_,
                    .executor = executor_,
                    .stream_executor = stream_executor_,
                    .observer = &observer,
                    .rebuilt = RebuiltIn(*core.data.store)}),
      enrolment_service_(
          {.network = config.network,
           .log_key = network_.log_key.ToString(),
           .members_address = [this] { return network_.members; },
           .directory = *core.data.directory,
           .charters = core.charters,
           .enrolment = core.enrolment,
           .certify =
               [this](const MemberId& member, const std::string& csr_pem) {
                 return ca_.Certify(member, csr_pem);
               },
           .ca_note = [this] { return ca_.Note(); },
           .clock = clock,
           .executor = enrol_executor_,
           .observer = &observer}),
      admin_service_(
          {.invite =
               [this, &core](const std::string& member, bool new_identity) {
                 return MakeInvitation(core.enrolment, network(), member,
                                       config_.invitation_life, new_identity);
               },
           .write_export =
               [this, &core](const std::string& directory) {
                 return ExportLog(*core.data.store, network(), directory);
               },
           .write_backup =
               [this, &core, &clock](const std::string& directory) {
                 return WriteBackup(data_, *core.data.store, directory,
                                    clock.Now());
               },
           .check = [this, &core]() -> absl::StatusOr<WholeCheck> {
             ASSIGN_OR_RETURN(const auto known, KnownCheckpoints(data_));
             return CheckWhole(*core.data.store, network().log_key, known);
           },
           .new_ca = [this] { return NewCa(); },
           .switch_ca = [this](bool at_once) { return SwitchCa(at_once); },
           .executor = admin_executor_}) {}

Ports::~Ports() { Shutdown(absl::CancelledError(""), absl::ZeroDuration()); }

NetworkFile Ports::network() const {
  NetworkFile network = network_;
  ca_.FillIn(network);
  return network;
}

absl::Status Ports::Listen(const std::string& metrics,
                           const std::string& log_http) {
  const ListenFile last = ReadLast(data_);
  RETURN_IF_ERROR(ListenForMembers(last));
  RETURN_IF_ERROR(ListenForEnrolment(last));
  RETURN_IF_ERROR(KeepNetworkFile(data_, where_.announced));
  where_.pid = getpid();
  where_.metrics = metrics;
  where_.log_http = log_http;
  RETURN_IF_ERROR(WriteFile(data_.listen_file(), FormatListenFile(where_),
                            FileMode::kPrivate));
  // Last: whoever finds the socket serving finds listen.json written.
  return ListenForOperator();
}

absl::Status Ports::ListenForMembers(const ListenFile& last) {
  ASSIGN_OR_RETURN(members_,
                   StartAt({.credentials = MakeServerCredentials(
                                {data_.server_key(), data_.server_certificate(),
                                 data_.trusted_cas()}),
                            .services = {&relay_service_, &log_service_},
                            .names = {v1::RelayService::service_full_name(),
                                      v1::LogService::service_full_name()},
                            .message_bytes_max = static_cast<int>(
                                config_.envelope_bytes_max + kMessageOverhead),
                            .streams_per_connection_max = kMembersStreamsMax},
                           config_.listen.members, last.listen.members));
  const int port = members_->port();
  where_.listen.members = FillPort(config_.listen.members, port);
  where_.announced.members = FillPort(config_.announced.members, port);
  network_.members = where_.announced.members;
  return absl::OkStatus();
}

absl::Status Ports::ListenForEnrolment(const ListenFile& last) {
  ASSIGN_OR_RETURN(
      enrol_,
      StartAt({.credentials = MakeServerCredentials(
                   {data_.server_key(), data_.server_certificate(), ""}),
               .services = {&enrolment_service_},
               .names = {v1::EnrolmentService::service_full_name()},
               .message_bytes_max =
                   static_cast<int>(kCharterBytesMax + kMessageOverhead),
               .streams_per_connection_max = kEnrolStreamsMax,
               .strangers = {.memory_bytes_max = kEnrolMemoryMax,
                             .handshake = kEnrolHandshake,
                             .idle = kEnrolIdle,
                             .age = kEnrolAge}},
              config_.listen.enrol, last.listen.enrol));
  const int port = enrol_->port();
  where_.listen.enrol = FillPort(config_.listen.enrol, port);
  where_.announced.enrol = FillPort(config_.announced.enrol, port);
  network_.enrol = where_.announced.enrol;
  return absl::OkStatus();
}

absl::Status Ports::ListenForOperator() {
  ASSIGN_OR_RETURN(AdminSocket socket, AdminSocket::At(data_.socket()));
  socket_.emplace(std::move(socket));
  ASSIGN_OR_RETURN(
      admin_,
      RpcServer::Start({.address = socket_->address(),
                        .credentials = LocalCredentials(),
                        .services = {&admin_service_},
                        .names = {v1::AdminService::service_full_name()},
                        .message_bytes_max = kMessageOverhead,
                        .streams_per_connection_max = kEnrolStreamsMax}));
  if (chmod(data_.socket().c_str(), 0600) != 0)
    return absl::InternalError("cannot protect the operator's socket");
  return absl::OkStatus();
}

void Ports::SetServing(bool serving) {
  for (const auto& server : {&members_, &enrol_, &admin_})
    if (*server != nullptr) (*server)->SetServing(serving);
}

void Ports::EndSubscriptions(
    const std::function<absl::Status(const MemberId&)>& verdict) {
  mailbox_streams_.EndWhere(verdict);
}

void Ports::Shutdown(const absl::Status& why, absl::Duration grace) {
  SetServing(false);
  mailbox_streams_.Close(why);
  log_streams_.Close(why);
  // Side by side: an idle client that does not answer costs each its grace.
  std::vector<std::thread> ending;
  for (const auto& server : {&members_, &enrol_, &admin_})
    if (*server != nullptr)
      ending.emplace_back(
          [&server = **server, grace] { server.Shutdown(grace); });
  for (std::thread& thread : ending) thread.join();
  members_.reset();
  enrol_.reset();
  admin_.reset();
}

}  // namespace amparo::broker

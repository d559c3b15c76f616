#include "broker/daemon/ports.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/files.h"
#include "base/status.h"
#include "broker/daemon/backup.h"
#include "broker/daemon/ca_change.h"
#include "broker/daemon/export.h"
#include "broker/daemon/founding.h"
#include "broker/daemon/inviting.h"
#include "proto/envelope/limits.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/server_probe.h"
#include "proto/network/host_port.h"

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
// gRPC looks at the files every second.
constexpr absl::Duration kShownWithin = absl::Seconds(10);
constexpr char kProbeName[] = "broker-itself";
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

// How this machine reaches what listens at `address`.
std::string ReachedFromHere(const std::string& address) {
  auto parts = ParseHostPort(address);
  if (!parts.ok()) return address;
  if (parts->host == "0.0.0.0") parts->host = "127.0.0.1";
  if (parts->host == "::") parts->host = "::1";
  return FormatHostPort(*parts);
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
      ca_(data, core.data.network, std::move(core.data.cas), core.data.log_keys,
          *core.data.directory, clock),
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
                                  const std::string& certificate_pem,
                                  const v1::RenewCertificateRequest& request)
               -> absl::StatusOr<std::string> {
             RETURN_IF_ERROR(core.enrolment.MayRenew(member));
             return ca_.Renew(member, certificate_pem, request.csr_pem(),
                              request.request());
           },
           .ca_note =
               [this](const MemberId& member,
                      const std::string& certificate_pem) {
                 ca_.Met(member, certificate_pem);
                 return ca_.Note();
               },
           .executor = executor_,
           .observer = &observer}),
      log_service_({.peers = peers_,
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
               [this, &core](const std::string& member) {
                 return MakeInvitation(core.enrolment, network(), member,
                                       config_.invitation_life);
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

absl::Status Ports::AwaitPorts(const std::string& shown,
                               const std::string& taken) const {
  ASSIGN_OR_RETURN(const NetworkFile network, data_.ReadNetworkFile());
  ASSIGN_OR_RETURN(const DataDir::Cas cas, data_.ReadCas(network));
  const TlsKeyPair& ca =
      cas.current.certificate_pem == taken ? cas.current : *cas.next;
  // Of nobody's name, and forgotten when this is over.
  ASSIGN_OR_RETURN(const TlsKeyPair key, MakeTlsKey());
  ASSIGN_OR_RETURN(const std::string csr,
                   MakeCsr(key, network.network, kProbeName));
  const absl::Time now = clock_.Now();
  ASSIGN_OR_RETURN(
      const std::string certificate,
      IssueMemberCertificate(ca, csr, network.network, kProbeName,
                             now - absl::Hours(1), now + absl::Minutes(1)));
  const ClientTls member{shown, ToText(key.private_key_pem.Expose()),
                         certificate};
  if (Connects(ReachedFromHere(where_.listen.members), member, kShownWithin) &&
      Connects(ReachedFromHere(where_.listen.enrol), {shown, "", ""},
               kShownWithin))
    return absl::OkStatus();
  return MakeError(absl::StatusCode::kUnavailable,
                   "the ports do not go on with the new certificates",
                   {.code = "broker_unreachable",
                    .hint = "restart the broker: the change is in its files"});
}

absl::StatusOr<v1::NewCaResponse> Ports::NewCa() {
  ASSIGN_OR_RETURN(const NetworkFile network, MakeNextCa(data_, clock_));
  RETURN_IF_ERROR(WriteTrustedCas(data_, network));
  // Members come with its certificates when they are told of it.
  ASSIGN_OR_RETURN(const std::string ca_pem, CertificatePem(network.ca_der));
  ASSIGN_OR_RETURN(const std::string next_pem,
                   CertificatePem(*network.next_ca_der));
  RETURN_IF_ERROR(AwaitPorts(ca_pem, next_pem));
  peers_.TakeOnly({ca_pem, next_pem});
  RETURN_IF_ERROR(ca_.Reload());
  LogEvent("ca_made");
  v1::NewCaResponse response;
  response.set_sha256(ToText(Sha256(*network.next_ca_der).bytes()));
  return response;
}

absl::StatusOr<v1::SwitchCaResponse> Ports::SwitchCa(bool at_once) {
  v1::SwitchCaResponse response;
  for (const MemberId& member : ca_.Behind())
    response.add_behind(member.text());
  if (network().next_ca_der && response.behind_size() > 0 && !at_once)
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat("members that have not followed yet: ",
                     absl::StrJoin(response.behind(), " ")),
        {.code = "invalid_state",
         .field = "--data",
         .hint = "wait until their agents run; --at-once shuts them out until "
                 "they reconnect with a new invitation"});
  ASSIGN_OR_RETURN(const NetworkFile network, SwitchToNextCa(data_));
  RETURN_IF_ERROR(RenewServerCertificate(data_, config_, clock_));
  ASSIGN_OR_RETURN(const std::string ca_pem, CertificatePem(network.ca_der));
  // Members drop the old one when they are told: not before the ports have.
  RETURN_IF_ERROR(AwaitPorts(ca_pem, ca_pem));
  RETURN_IF_ERROR(WriteTrustedCas(data_, network));
  RETURN_IF_ERROR(ca_.Reload());
  // Also calls on connections that were made under the old one.
  peers_.TakeOnly({ca_pem});
  const auto again = [](const MemberId&) {
    return MakeError(absl::StatusCode::kUnavailable, "the network's ca changed",
                     {.code = "broker_unreachable",
                      .hint = "connect again",
                      .retryable = true});
  };
  mailbox_streams_.EndWhere(again);
  log_streams_.EndWhere(again);
  LogEvent("ca_switched");
  response.set_sha256(ToText(Sha256(network.ca_der).bytes()));
  return response;
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

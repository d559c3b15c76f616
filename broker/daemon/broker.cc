#include "broker/daemon/broker.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/executor.h"
#include "base/files.h"
#include "base/status.h"
#include "broker/core/admission.h"
#include "broker/core/audit_log.h"
#include "broker/core/charter_desk.h"
#include "broker/core/checkpointer.h"
#include "broker/core/directory.h"
#include "broker/core/enrolment.h"
#include "broker/core/inbox_feed.h"
#include "broker/core/ledger.h"
#include "broker/core/notary.h"
#include "broker/core/pacer.h"
#include "broker/core/receipt_book.h"
#include "broker/core/relay.h"
#include "broker/core/retention.h"
#include "broker/core/start_guard.h"
#include "broker/daemon/export.h"
#include "broker/daemon/founding.h"
#include "broker/daemon/inviting.h"
#include "broker/daemon/listen_file.h"
#include "broker/daemon/metrics.h"
#include "broker/rpc/admin_service.h"
#include "broker/rpc/admin_socket.h"
#include "broker/rpc/enrolment_service.h"
#include "broker/rpc/log_service.h"
#include "broker/rpc/relay_service.h"
#include "broker/rpc/server.h"
#include "broker/store/rocks_store.h"
#include "proto/envelope/limits.h"
#include "proto/grpc/credentials.h"

namespace amparo::broker {
namespace {

// A message is an envelope and a few bytes around it; or a charter.
constexpr size_t kMessageOverhead = 4096;
constexpr int kMembersStreamsMax = 1024;  // calls at a time on a connection
constexpr int kEnrolStreamsMax = 16;
constexpr size_t kStreamQueueMax = 1 << 16;  // one task a stream at most
constexpr size_t kEnrolQueueMax = 64;
constexpr size_t kAdminQueueMax = 8;
constexpr size_t kNoteBytesMax = 64 << 10;
constexpr absl::Duration kSuperviseEvery = absl::Seconds(1);
constexpr absl::Duration kRetainEvery = absl::Seconds(10);
constexpr absl::Duration kRenewEvery = absl::Hours(1);
constexpr absl::Duration kRenewBefore = absl::Hours(24 * 30);
constexpr int kRetentionStepsMax = 100;  // in a row

size_t Threads() {
  return std::max<size_t>(2, std::thread::hardware_concurrency());
}

absl::Status GoingAway() {
  return MakeError(absl::StatusCode::kUnavailable, "the broker is going away",
                   {.code = "broker_unreachable",
                    .hint = "connect again in a moment",
                    .retryable = true});
}

// What must be there before anything is wired.
struct Opened {
  NetworkFile network;
  SigningKey log_key;
  TlsKeyPair ca;
  std::unique_ptr<Store> store;
  std::unique_ptr<Directory> directory;
};

absl::StatusOr<Opened> Open(const DataDir& data, const BrokerConfig& config) {
  RETURN_IF_ERROR(data.CheckOwnerOnly());
  ASSIGN_OR_RETURN(NetworkFile network, data.ReadNetworkFile());
  ASSIGN_OR_RETURN(SigningKey log_key, data.ReadLogKey());
  ASSIGN_OR_RETURN(TlsKeyPair ca, data.ReadCa());
  if (network.network != config.network ||
      network.log_key.key() != log_key.verify_key())
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "broker.toml, network.json and log.key do not fit",
                     {.code = "config",
                      .field = "network",
                      .hint = "restore the files that init wrote"});
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store, OpenRocksStore(data.store()));
  std::vector<std::string> known;
  if (auto note = ReadFile(data.last_checkpoint(), kNoteBytesMax); note.ok())
    known.push_back(*std::move(note));
  else if (!absl::IsNotFound(note.status()))
    return note.status();
  RETURN_IF_ERROR(CheckStart(*store, network.log_key, known));
  ASSIGN_OR_RETURN(std::unique_ptr<Directory> directory,
                   Directory::Load(*store));
  return Opened{std::move(network), std::move(log_key), std::move(ca),
                std::move(store), std::move(directory)};
}

}  // namespace

// Everything in dependency order: what is below refers to what is above.
struct Broker::Parts {
  Parts(const DataDir& d, const BrokerConfig& c, const Clock& k, Opened opened);

  absl::Status Listen();
  absl::Status ListenMetrics();
  void BeginPaces();
  void PublishCheckpoint();
  void Supervise();
  void RenewCertificate();
  void EndStreams(const absl::Status& why);
  BrokerGauges ReadGauges() const;

  const DataDir data;
  const BrokerConfig config;
  const Clock& clock;
  NetworkFile network;  // with the addresses in use, once it listens
  ListenFile where;
  const SigningKey log_key;
  const TlsKeyPair ca;
  const std::unique_ptr<Store> store;
  const std::unique_ptr<Directory> directory;

  InboxFeed feed{config.member_streams_max};
  InboxFeed watchers{config.member_streams_max};
  ReceiptBook receipts{log_key};
  Checkpointer checkpointer{*store, config.network, log_key, watchers, clock};
  Ledger ledger{*store, *directory, feed, receipts, clock};
  Admission admission{{.envelope_bytes_max = config.envelope_bytes_max,
                       .mailbox_envelopes_max = config.mailbox_messages_max,
                       .member_rate_per_s = config.member_rate_per_s},
                      clock};
  Relay relay{*store, *directory, admission, ledger, receipts, clock};
  Notary notary{*store, admission, ledger, clock};
  CharterDesk charters{*store, *directory, ledger, network.log_key};
  Enrolment enrolment{*store, *directory, clock};
  AuditLog log{*store, *directory};
  Retention retention{
      *store,
      ledger,
      {.message = config.message_life, .opening = config.opening_life},
      clock};

  Executor executor{Threads(), kCommitQueueMax};
  Executor stream_executor{2, kStreamQueueMax};
  // Of their own, so that nobody outside can hold members up.
  Executor enrol_executor{1, kEnrolQueueMax};
  Executor admin_executor{1, kAdminQueueMax};
  OpenStreams mailbox_streams{config.member_streams_max};
  OpenStreams log_streams{config.member_streams_max};
  Metrics metrics{[this] { return ReadGauges(); }};

  RelayService relay_service{
      {.network = config.network,
       .notary = notary,
       .mailbox = {relay, *directory, feed, mailbox_streams, stream_executor},
       .executor = executor,
       .observer = &metrics}};
  LogService log_service{{.network = config.network,
                          .log = log,
                          .checkpointer = checkpointer,
                          .watchers = watchers,
                          .streams = log_streams,
                          .executor = executor,
                          .stream_executor = stream_executor,
                          .observer = &metrics}};
  EnrolmentService enrolment_service{
      {.network = config.network,
       .log_key = network.log_key.ToString(),
       .members_address = [this] { return network.members; },
       .directory = *directory,
       .charters = charters,
       .enrolment = enrolment,
       .ca = ca,
       .clock = clock,
       .executor = enrol_executor,
       .observer = &metrics}};
  AdminService admin_service{
      {.invite =
           [this](const std::string& member) {
             return MakeInvitation(enrolment, network, member,
                                   config.invitation_life);
           },
       .write_export =
           [this](const std::string& directory_name) {
             return ExportLog(*store, network, directory_name);
           },
       .executor = admin_executor}};

  std::optional<AdminSocket> admin_socket;
  std::unique_ptr<RpcServer> members, enrol, admin;

  uint64_t publications_seen = 0;  // by Supervise
  bool closed_said = false;
  std::string checkpoint_kept;  // by PublishCheckpoint
  bool checkpoint_failed = false;
  std::unique_ptr<Pacer> checkpoint_pace, supervise_pace, retain_pace,
      renew_pace;
  bool drained = false;
};

Broker::Parts::Parts(const DataDir& d, const BrokerConfig& c, const Clock& k,
                     Opened opened)
    : data(d),
      config(c),
      clock(k),
      network(std::move(opened.network)),
      log_key(std::move(opened.log_key)),
      ca(std::move(opened.ca)),
      store(std::move(opened.store)),
      directory(std::move(opened.directory)) {}

namespace {

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

}  // namespace

absl::Status Broker::Parts::Listen() {
  ListenFile last;
  if (const auto text = ReadFile(data.listen_file(), kNoteBytesMax); text.ok())
    if (auto parsed = ParseListenFile(*text); parsed.ok()) last = *parsed;
  ServerTlsFiles tls{data.server_key(), data.server_certificate(),
                     data.ca_certificate()};
  ASSIGN_OR_RETURN(members,
                   StartAt({.credentials = MakeServerCredentials(tls),
                            .services = {&relay_service, &log_service},
                            .message_bytes_max = static_cast<int>(
                                config.envelope_bytes_max + kMessageOverhead),
                            .streams_per_connection_max = kMembersStreamsMax},
                           config.listen.members, last.listen.members));
  where.listen.members = FillPort(config.listen.members, members->port());
  where.announced.members = FillPort(config.announced.members, members->port());
  network.members = where.announced.members;
  tls.client_ca.clear();
  ASSIGN_OR_RETURN(
      enrol, StartAt({.credentials = MakeServerCredentials(tls),
                      .services = {&enrolment_service},
                      .message_bytes_max =
                          static_cast<int>(kCharterBytesMax + kMessageOverhead),
                      .streams_per_connection_max = kEnrolStreamsMax},
                     config.listen.enrol, last.listen.enrol));
  where.listen.enrol = FillPort(config.listen.enrol, enrol->port());
  where.announced.enrol = FillPort(config.announced.enrol, enrol->port());
  network.enrol = where.announced.enrol;
  RETURN_IF_ERROR(ListenMetrics());
  RETURN_IF_ERROR(KeepNetworkFile(data, where.announced));
  where.pid = getpid();
  RETURN_IF_ERROR(WriteFile(data.listen_file(), FormatListenFile(where),
                            FileMode::kPrivate));
  // Last: whoever finds the socket serving finds listen.json written.
  ASSIGN_OR_RETURN(AdminSocket socket, AdminSocket::At(data.socket()));
  admin_socket.emplace(std::move(socket));
  ASSIGN_OR_RETURN(
      admin,
      RpcServer::Start({.address = admin_socket->address(),
                        .credentials = LocalCredentials(),
                        .services = {&admin_service},
                        .message_bytes_max = kMessageOverhead,
                        .streams_per_connection_max = kEnrolStreamsMax}));
  if (chmod(data.socket().c_str(), 0600) != 0)
    return absl::InternalError("cannot protect the operator's socket");
  return absl::OkStatus();
}

absl::Status Broker::Parts::ListenMetrics() {
  if (config.metrics_listen.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(where.metrics, metrics.Serve(config.metrics_listen));
  return WriteFile(data.metrics_address(), where.metrics + "\n",
                   FileMode::kPublic);
}

void Broker::Parts::BeginPaces() {
  publications_seen = directory->Current()->publications;
  checkpoint_pace = std::make_unique<Pacer>(config.checkpoint_interval,
                                            [this] { PublishCheckpoint(); });
  supervise_pace =
      std::make_unique<Pacer>(kSuperviseEvery, [this] { Supervise(); });
  retain_pace = std::make_unique<Pacer>(kRetainEvery, [this] {
    for (int i = 0; i < kRetentionStepsMax; ++i) {
      const auto more = retention.Step();
      if (!more.ok())
        LogEvent(EventLevel::kWarning, "retention_failed",
                 {{"code", ErrorCodeOf(more.status()).c_str()}});
      if (!more.ok() || !*more) return;
    }
  });
  renew_pace =
      std::make_unique<Pacer>(kRenewEvery, [this] { RenewCertificate(); });
}

// Signed, stored, shown; then kept once more outside the store, which a restore
// of the store alone does not take back with it.
void Broker::Parts::PublishCheckpoint() {
  absl::Status status = checkpointer.PublishNext();
  if (const auto newest = checkpointer.Newest();
      status.ok() && newest.ok() && *newest != checkpoint_kept) {
    status = WriteFile(data.last_checkpoint(), *newest, FileMode::kPrivate);
    if (status.ok()) checkpoint_kept = *newest;
  }
  if (!status.ok() && !checkpoint_failed)
    LogEvent(EventLevel::kError, "checkpoint_failed",
             {{"code", ErrorCodeOf(status).c_str()}});
  checkpoint_failed = !status.ok();
}

// What nobody calls for: members who lost their standing, a ledger that closed.
void Broker::Parts::Supervise() {
  const std::shared_ptr<const Network> current = directory->Current();
  if (current->publications != publications_seen) {
    publications_seen = current->publications;
    mailbox_streams.EndWhere([&current](const MemberId& member) {
      return current->Active(member).status();
    });
  }
  if (ledger.IsClosed() && !closed_said) {
    closed_said = true;
    LogEvent(EventLevel::kError, "ledger_closed");
    members->SetServing(false);
    enrol->SetServing(false);
    admin->SetServing(false);
  }
}

void Broker::Parts::RenewCertificate() {
  const auto certificate = ReadFile(data.server_certificate(), kNoteBytesMax);
  if (!certificate.ok()) return;
  const auto end = CertificateEnd(*certificate);
  if (end.ok() && *end - clock.Now() > kRenewBefore) return;
  const absl::Status status = RenewServerCertificate(data, config, clock);
  LogEvent(status.ok() ? EventLevel::kInfo : EventLevel::kError,
           "certificate_renewed", {{"ok", status.ok()}});
}

void Broker::Parts::EndStreams(const absl::Status& why) {
  mailbox_streams.Close(why);
  log_streams.Close(why);
}

BrokerGauges Broker::Parts::ReadGauges() const {
  BrokerGauges gauges;
  gauges.log_entries = static_cast<double>(store->Head().range.size().value());
  if (const auto note = checkpointer.Newest(); note.ok())
    if (const auto shown = VerifyCheckpoint(*note, network.log_key); shown.ok())
      gauges.checkpoint_entries = static_cast<double>(shown->size.value());
  gauges.subscriptions = static_cast<double>(feed.SubscriptionCount());
  if (const auto current = directory->Current(); current->charter)
    gauges.charter_version =
        static_cast<double>(current->charter->charter.version);
  if (const auto certificate =
          ReadFile(data.server_certificate(), kNoteBytesMax);
      certificate.ok())
    if (const auto end = CertificateEnd(*certificate); end.ok())
      gauges.certificate_expires_s = static_cast<double>(UnixSeconds(*end));
  gauges.ledger_open = !ledger.IsClosed();
  return gauges;
}

absl::StatusOr<std::unique_ptr<Broker>> Broker::Start(
    const DataDir& data, const BrokerConfig& config, const Clock& clock) {
  ASSIGN_OR_RETURN(Opened opened, Open(data, config));
  // At every start: the configuration may name other hosts than it did.
  RETURN_IF_ERROR(RenewServerCertificate(data, config, clock));
  auto parts = std::make_unique<Parts>(data, config, clock, std::move(opened));
  std::unique_ptr<Broker> broker(new Broker(std::move(parts)));
  RETURN_IF_ERROR(broker->parts_->Listen());
  broker->parts_->BeginPaces();
  return broker;
}

Broker::Broker(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Broker::~Broker() { Drain(absl::ZeroDuration()); }

const std::string& Broker::members_address() const {
  return parts_->network.members;
}
const std::string& Broker::enrol_address() const {
  return parts_->network.enrol;
}

void Broker::Drain(absl::Duration grace) {
  if (std::exchange(parts_->drained, true)) return;
  for (const auto& server : {&parts_->members, &parts_->enrol, &parts_->admin})
    if (*server != nullptr) (*server)->SetServing(false);
  parts_->EndStreams(GoingAway());
  for (const auto& server : {&parts_->members, &parts_->enrol, &parts_->admin})
    if (*server != nullptr) (*server)->Shutdown(grace);
  parts_->metrics.StopServing();
  const bool began = parts_->checkpoint_pace != nullptr;
  for (const auto& pace : {&parts_->checkpoint_pace, &parts_->supervise_pace,
                           &parts_->retain_pace, &parts_->renew_pace})
    pace->reset();
  // What was logged since the last one is under a checkpoint when it stops.
  if (began) parts_->PublishCheckpoint();
}

}  // namespace amparo::broker

#include "broker/daemon/broker.h"

#include <utility>

#include "base/error.h"
#include "base/event_log.h"
#include "base/files.h"
#include "base/pacer.h"
#include "base/status.h"
#include "broker/daemon/ca_change.h"
#include "broker/daemon/log_pages.h"
#include "broker/daemon/metrics.h"
#include "broker/daemon/outside_witnesses.h"
#include "broker/daemon/ports.h"
#include "broker/daemon/wired_core.h"
#include "proto/envelope/limits.h"
#include "proto/http/http_port.h"

namespace amparo::broker {
namespace {

constexpr size_t kCertificateBytesMax = 64 << 10;
constexpr absl::Duration kSuperviseEvery = absl::Seconds(1);
constexpr absl::Duration kRetainEvery = absl::Seconds(10);
constexpr absl::Duration kRenewEvery = absl::Hours(1);
constexpr absl::Duration kRenewBefore = absl::Hours(24 * 30);
constexpr int kRetentionStepsMax = 100;  // in a row
// Few on this machine scrape.
constexpr HttpPort::Limits kMetricsLimits = {.connections_max = 8,
                                             .connections_per_address_max = 8,
                                             .idle = absl::Seconds(5),
                                             .life = absl::Seconds(10)};

absl::Status GoingAway() {
  return MakeError(absl::StatusCode::kUnavailable, "the broker is going away",
                   {.code = "broker_unreachable",
                    .hint = "connect again in a moment",
                    .retryable = true});
}

// End of the certificate that serves now.
absl::StatusOr<absl::Time> ServerCertificateEnd(const DataDir& data) {
  ASSIGN_OR_RETURN(const std::string certificate,
                   ReadFile(data.server_certificate(), kCertificateBytesMax));
  return CertificateEnd(certificate);
}

void LogFailure(EventLevel level, const char* event,
                const absl::Status& status) {
  LogEvent(level, event, {{"code", ErrorCodeOf(status).c_str()}});
}

}  // namespace

// Everything in dependency order, and what goes on without being called for.
struct Broker::Parts {
  Parts(const DataDir& d, const BrokerConfig& c, const Clock& k,
        OpenedData opened)
      : data(d), config(c), clock(k), core(std::move(opened), c, k) {}

  absl::Status Begin();
  void PublishCheckpoint();
  void Supervise();
  void Retain();
  void RenewCertificate();
  BrokerGauges ReadGauges() const;

  const DataDir data;
  const BrokerConfig config;
  const Clock& clock;
  WiredCore core;
  std::unique_ptr<OutsideWitnesses> outsiders;  // before who counts them
  Metrics metrics{[this] { return ReadGauges(); }};
  LogPages log_pages{core.log, core.checkpointer, core.witnesses};
  std::unique_ptr<HttpPort> metrics_port, log_port;
  Ports ports{core, data, config, clock, metrics};

  uint64_t publications_seen = 0;  // by Supervise
  std::string checkpoint_kept;     // by PublishCheckpoint
  bool checkpoint_failed = false;
  bool log_ahead = false;  // by Supervise
  std::unique_ptr<Pacer> checkpoint_pace, supervise_pace, retain_pace,
      renew_pace;
  bool drained = false;
};

absl::Status Broker::Parts::Begin() {
  // At every start: the configuration may name other hosts than it did.
  RETURN_IF_ERROR(ports.RenewServerCertificate());
  outsiders = std::make_unique<OutsideWitnesses>(
      config, *core.data.store, core.checkpointer, core.witnesses, clock);
  RETURN_IF_ERROR(WriteTrustedCas(data, core.data.network));
  if (!config.metrics_listen.empty()) {
    ASSIGN_OR_RETURN(
        metrics_port,
        HttpPort::Open(
            config.metrics_listen, "metrics.listen", kMetricsLimits,
            [this](absl::string_view path) { return metrics.Page(path); }));
    RETURN_IF_ERROR(WriteFile(data.metrics_address(),
                              metrics_port->address() + "\n",
                              FileMode::kPublic));
  }
  if (!config.log_http_listen.empty()) {
    ASSIGN_OR_RETURN(
        log_port,
        HttpPort::Open(
            config.log_http_listen, "log.http_listen", HttpPort::Limits(),
            [this](absl::string_view path) { return log_pages.Answer(path); }));
  }
  publications_seen = core.data.directory->Current()->publications;
  RETURN_IF_ERROR(ports.Listen(metrics_port ? metrics_port->address() : "",
                               log_port ? log_port->address() : ""));
  checkpoint_pace = std::make_unique<Pacer>(config.checkpoint_interval,
                                            [this] { PublishCheckpoint(); });
  supervise_pace =
      std::make_unique<Pacer>(kSuperviseEvery, [this] { Supervise(); });
  retain_pace = std::make_unique<Pacer>(kRetainEvery, [this] { Retain(); });
  renew_pace =
      std::make_unique<Pacer>(kRenewEvery, [this] { RenewCertificate(); });
  return absl::OkStatus();
}

// Signed, stored, shown; then kept once more outside the store, which a restore
// of the store alone does not take back with it.
void Broker::Parts::PublishCheckpoint() {
  absl::Status status = core.checkpointer.PublishNext();
  if (const auto newest = core.checkpointer.Newest();
      status.ok() && newest.ok() && *newest != checkpoint_kept) {
    status = WriteFile(data.last_checkpoint(), *newest, FileMode::kPrivate);
    if (status.ok()) checkpoint_kept = *newest;
  }
  if (!status.ok() && !checkpoint_failed)
    LogFailure(EventLevel::kError, "checkpoint_failed", status);
  checkpoint_failed = !status.ok();
}

// Members who lost their standing, a ledger that closed.
void Broker::Parts::Supervise() {
  const std::shared_ptr<const Network> current = core.data.directory->Current();
  if (current->publications != publications_seen) {
    publications_seen = current->publications;
    ports.EndSubscriptions(
        [&current, now = clock.Now()](const MemberId& member) {
          return current->Active(member, now).status();
        });
  }
  if (core.ledger.IsClosed()) ports.SetServing(false);
  // The log's time never falls, whatever the clock does.
  const absl::Duration ahead = core.data.store->Head().time - clock.Now();
  const bool is_ahead = ahead > kCreatedAfter;
  if (is_ahead && !log_ahead)
    LogEvent(EventLevel::kError, "log_ahead",
             {{"seconds", absl::ToInt64Seconds(ahead)}});
  log_ahead = is_ahead;
}

void Broker::Parts::Retain() {
  for (int i = 0; i < kRetentionStepsMax; ++i) {
    const auto more = core.retention.Step();
    if (!more.ok())
      LogFailure(EventLevel::kWarning, "retention_failed", more.status());
    if (!more.ok() || !*more) return;
  }
}

void Broker::Parts::RenewCertificate() {
  const auto end = ServerCertificateEnd(data);
  if (end.ok() && *end - clock.Now() > kRenewBefore) return;
  const absl::Status status = ports.RenewServerCertificate();
  if (status.ok())
    LogEvent("certificate_renewed");
  else
    LogFailure(EventLevel::kError, "certificate_renewal_failed", status);
}

BrokerGauges Broker::Parts::ReadGauges() const {
  BrokerGauges gauges;
  gauges.log_entries =
      static_cast<double>(core.data.store->Head().range.size().value());
  if (const auto note = core.checkpointer.Newest(); note.ok())
    if (const auto shown = VerifyCheckpoint(*note, core.data.network.log_key);
        shown.ok())
      gauges.checkpoint_entries = static_cast<double>(shown->size.value());
  gauges.witnessed_entries =
      static_cast<double>(core.witnesses.newest().size.value());
  const OutsideWitnesses::Counts counts = outsiders->Count();
  gauges.outside_witnesses = static_cast<double>(counts.wanted);
  gauges.outside_witnesses_silent = static_cast<double>(counts.silent);
  gauges.subscriptions = static_cast<double>(core.feed.SubscriptionCount());
  if (const auto current = core.data.directory->Current(); current->charter)
    gauges.charter_version =
        static_cast<double>(current->charter->charter.version);
  if (const auto end = ServerCertificateEnd(data); end.ok())
    gauges.certificate_expires_s = static_cast<double>(UnixSeconds(*end));
  gauges.ledger_open = !core.ledger.IsClosed();
  return gauges;
}

absl::StatusOr<std::unique_ptr<Broker>> Broker::Start(
    const DataDir& data, const BrokerConfig& config, const Clock& clock) {
  ASSIGN_OR_RETURN(OpenedData opened, OpenData(data, config));
  std::unique_ptr<Broker> broker(new Broker(
      std::make_unique<Parts>(data, config, clock, std::move(opened))));
  RETURN_IF_ERROR(broker->parts_->Begin());
  return broker;
}

Broker::Broker(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Broker::~Broker() { Drain(absl::ZeroDuration()); }

std::string Broker::members_address() const {
  return parts_->ports.network().members;
}
std::string Broker::enrol_address() const {
  return parts_->ports.network().enrol;
}

void Broker::Drain(absl::Duration grace) {
  if (std::exchange(parts_->drained, true)) return;
  const bool began = parts_->checkpoint_pace != nullptr;
  parts_->supervise_pace.reset();  // it speaks to the ports
  parts_->ports.Shutdown(GoingAway(), grace);
  parts_->metrics_port.reset();
  parts_->outsiders.reset();
  parts_->log_port.reset();
  for (const auto& pace :
       {&parts_->checkpoint_pace, &parts_->retain_pace, &parts_->renew_pace})
    pace->reset();
  // What was logged since the last one is under a checkpoint when it stops.
  if (began) parts_->PublishCheckpoint();
}

}  // namespace amparo::broker

#include <csignal>
#include <memory>

#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "broker/daemon/broker.h"
#include "broker/daemon/commands.h"
#include "broker/daemon/notify.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/journal.h"

namespace amparo::broker {
namespace {

constexpr absl::Duration kDrainGrace = absl::Seconds(5);

// The signals that Run answers to, blocked in every thread so that only
// sigwait takes them.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  int Wait() {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }
  // From now on a second SIGTERM ends the process at once.
  void LetGo() { pthread_sigmask(SIG_UNBLOCK, &set_, nullptr); }

 private:
  sigset_t set_;
};

// A configuration that is not right changes nothing.
void Reload(const DataDir& data) {
  const auto config = data.ReadConfig();
  if (!config.ok()) {
    LogEvent(EventLevel::kError, "config_refused",
             {{"code", ErrorCodeOf(config.status()).c_str()}});
    return;
  }
  SetEventLevel(config->journal_level);
  LogEvent("config_reloaded");
}

}  // namespace

absl::Status Run(const DataDir& data, const Clock& clock) {
  ASSIGN_OR_RETURN(const BrokerConfig config, data.ReadConfig());
  SetEventLevel(config.journal_level);
  RETURN_IF_ERROR(AllowOnlyTls13());
  SendGrpcLinesToJournal();
  Signals signals;
  ASSIGN_OR_RETURN(const std::unique_ptr<Broker> broker,
                   Broker::Start(data, config, clock));
  LogEvent("broker_ready");
  NotifyServiceManager("READY=1");
  for (int signal = signals.Wait(); signal == SIGHUP; signal = signals.Wait()) {
    NotifyServiceManager("RELOADING=1");
    Reload(data);
    NotifyServiceManager("READY=1");
  }
  NotifyServiceManager("STOPPING=1");
  LogEvent("broker_draining");
  signals.LetGo();
  broker->Drain(kDrainGrace);
  LogEvent("broker_stopped");
  return absl::OkStatus();
}

}  // namespace amparo::broker

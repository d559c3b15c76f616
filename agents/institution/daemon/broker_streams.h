#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "agents/institution/core/broker_port.h"
#include "agents/institution/core/cosigner.h"
#include "agents/institution/core/intake.h"
#include "agents/institution/core/log_watch.h"
#include "agents/institution/core/loop.h"
#include "agents/institution/core/network_time.h"
#include "base/clock.h"

namespace amparo::agent {

// The agent's two streams from the broker, each on a thread that comes back
// with backoff when it breaks: checkpoints, which the log watch follows, and
// the mailbox, which the intake takes in once its leaves are proven.
class BrokerStreams {
 public:
  // All must outlive this. `log_grew` is called after each checkpoint that was
  // followed: the first of a connection, too, before which the broker gets
  // nothing.
  struct Parts {
    BrokerPort& broker;
    LogWatch& log;
    Intake& intake;
    NetworkTime& time;
    Cosigner* cosigner;  // null: this agent is no witness
    const PeerBook& peers;
    const Clock& clock;
    absl::Duration retry_first;
    absl::Duration retry_max;
    std::function<void()> log_grew;
  };
  explicit BrokerStreams(const Parts& parts);
  // As Stop().
  ~BrokerStreams();
  void Stop();

  bool reachable() const { return reachable_; }
  absl::Time last_seen() const { return absl::FromUnixSeconds(last_seen_s_); }

 private:
  absl::Duration FollowLog();
  absl::Status FollowShown(const ShownCheckpoint& shown);
  absl::Status Vouch(const ShownCheckpoint& shown);
  absl::Duration FollowMailbox();
  bool TakeItem(const MailboxItem& item);
  void Seen();

  const Parts parts_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> reachable_ = false;
  std::atomic<int64_t> last_seen_s_ = 0;
  Backoff log_backoff_;
  Backoff mailbox_backoff_;
  Loop log_loop_;
  Loop mailbox_loop_;
};

}  // namespace amparo::agent

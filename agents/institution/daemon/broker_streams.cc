#include "agents/institution/daemon/broker_streams.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/network/witnesses.h"

namespace amparo::agent {
namespace {

// How long to wait in one piece for a leaf to be proven; then it is looked
// whether the agent is going down.
constexpr absl::Duration kProofPatience = absl::Milliseconds(200);
// A stream that is down is tried again at least this often, however long the
// outage: it is how the agent learns that the broker is back.
constexpr absl::Duration kStreamRetryMax = absl::Seconds(5);

}  // namespace

BrokerStreams::BrokerStreams(const Parts& parts)
    : parts_(parts),
      log_backoff_(parts.retry_first, std::min(parts.retry_max, kStreamRetryMax)),
      mailbox_backoff_(parts.retry_first, std::min(parts.retry_max, kStreamRetryMax)),
      log_loop_([this] { return FollowLog(); }),
      mailbox_loop_([this] { return FollowMailbox(); }) {}

BrokerStreams::~BrokerStreams() { Stop(); }

void BrokerStreams::Stop() {
  stopping_ = true;
  parts_.broker.StopStreams();
  log_loop_.Stop();
  mailbox_loop_.Stop();
}

void BrokerStreams::Seen() {
  last_seen_s_ = UnixSeconds(parts_.clock.Now());
  if (!reachable_.exchange(true)) LogEvent("broker_reachable");
}

absl::Duration BrokerStreams::FollowLog() {
  if (stopping_) return absl::InfiniteDuration();
  absl::Status followed;
  std::optional<absl::Time> asked = parts_.clock.Now();
  parts_.log.Disconnected();
  if (parts_.cosigner != nullptr) parts_.cosigner->StartAnew();
  const absl::Status ended =
      parts_.broker.WatchCheckpoints([&](const ShownCheckpoint& shown) {
        // The first is made for us: before the broker is used again, its clock
        // is compared. Later ones may have waited on their way.
        if (asked) parts_.time.Compare(shown.note, *asked).IgnoreError();
        asked.reset();
        Seen();
        followed = FollowShown(shown);
        if (!followed.ok()) return false;
        log_backoff_.Reset();
        parts_.log_grew();
        return !stopping_;
      });
  if (stopping_) return absl::InfiniteDuration();
  parts_.log.Disconnected();
  reachable_ = false;
  LogEvent(EventLevel::kWarning, "log_stream_ended",
           {{"status_code", static_cast<int>(followed.ok() ? ended.code()
                                                           : followed.code())}});
  return log_backoff_.Next();
}

absl::Status BrokerStreams::FollowShown(const ShownCheckpoint& shown) {
  absl::Status followed = parts_.log.Follow(shown.note);
  if (absl::IsPermissionDenied(followed)) {
    RETURN_IF_ERROR(parts_.log.FollowCharters());
    followed = parts_.log.Follow(shown.note);
  }
  if (absl::IsPermissionDenied(followed)) {
    RETURN_IF_ERROR(parts_.log.LearnLogKeys(shown.note));
    followed = parts_.log.Follow(shown.note);
  }
  RETURN_IF_ERROR(followed);
  parts_.time.Followed(shown.note);
  if (!shown.witnessed.empty())
    RETURN_IF_ERROR(parts_.log.FollowWitnessed(shown.witnessed));
  // Whatever it lost, the log goes on.
  const absl::Status vouched = Vouch(shown);
  RETURN_IF_ERROR(
      parts_.intake.SendLostAgain(shown.rebuilt_from, shown.rebuilt_to));
  return vouched;
}

// As a witness.
absl::Status BrokerStreams::Vouch(const ShownCheckpoint& shown) {
  Cosigner* const cosigner = parts_.cosigner;
  if (cosigner == nullptr) return absl::OkStatus();
  if (!shown.witnessed.empty())
    RETURN_IF_ERROR(cosigner->FollowWitnessed(shown.witnessed));
  const auto own = cosigner->CosignedAt(shown.witnessed);
  const auto witnessed = ParseNote(shown.witnessed);
  if (own && witnessed.ok())
    if (const auto median = QuorumTime(
            *witnessed, parts_.peers.Now()->charter.charter))
      parts_.time.CompareWithWitnesses(*own, *median).IgnoreError();
  return cosigner->Cosign(shown.note, parts_.broker);
}

absl::Duration BrokerStreams::FollowMailbox() {
  if (stopping_) return absl::InfiniteDuration();
  const absl::Status ended = parts_.broker.Subscribe(
      parts_.intake.cursor(), [&](MailboxItem item) { return TakeItem(item); });
  if (stopping_) return absl::InfiniteDuration();
  LogEvent(EventLevel::kWarning, "mailbox_stream_ended",
           {{"status_code", static_cast<int>(ended.code())}});
  return mailbox_backoff_.Next();
}

// False breaks the stream: the item comes again with the next one.
bool BrokerStreams::TakeItem(const MailboxItem& item) {
  const TreeSize needed(item.receipt.leaf.value() + 1);
  while (!parts_.log.WaitFor(needed, kProofPatience))
    if (stopping_) return false;
  const absl::Status taken = parts_.intake.Take(item);
  if (!taken.ok()) {
    LogEvent(EventLevel::kWarning, "intake_failed",
             {{"leaf", item.receipt.leaf},
              {"status_code", static_cast<int>(taken.code())}});
    return false;
  }
  mailbox_backoff_.Reset();
  // Receipts that could not leave now are sent by the upkeep.
  if (const absl::Status sent = parts_.intake.SendReceipts(); !sent.ok())
    LogEvent(EventLevel::kWarning, "receipts_wait",
             {{"status_code", static_cast<int>(sent.code())}});
  return !stopping_;
}

}  // namespace amparo::agent

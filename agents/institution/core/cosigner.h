#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/institution/core/broker_port.h"
#include "agents/institution/core/log_watch.h"
#include "agents/institution/core/peer_book.h"
#include "agents/institution/core/restored.h"
#include "base/clock.h"
#include "crypto/keys.h"
#include "proto/network/member.h"

namespace amparo::agent {

// This agent as a witness of the log: it cosigns what it has followed
// (c2sp.org/tlog-cosignature), while the charter in force names its key. The
// log watch is the witness's memory: what is smaller than its copy, or
// contradicts it, is never cosigned, and the copy is on disk before. After a
// restore that memory is older than what was cosigned: then others must have
// cosigned since, as many as a quorum without this one. One thread at a time.
class Cosigner {
 public:
  // All must outlive this; `clock` is this machine's own: what it says goes
  // into the cosignature, and many witnesses make a median.
  Cosigner(MemberId self, SigningKey witness, const PeerBook& peers,
           const LogWatch& log, Restored& restored, const Clock& clock);

  // Looks at a note that others cosigned too, which the log watch has just
  // followed: after a restore it may end the wait.
  absl::Status FollowWitnessed(const std::string& note);

  // Cosigns `note`, which the log watch has just followed, and hands the
  // cosignature to the broker: once, and again after half an hour. OK, too, for
  // a member that is no witness, or that waits after a restore, and for a log
  // that is over an hour ahead of this clock: nobody vouches for that one.
  // FAILED_PRECONDITION when the log watch is not at this checkpoint.
  absl::Status Cosign(const std::string& note, BrokerPort& broker);
  // The broker may have forgotten: the next note is cosigned in any case.
  void StartAnew() { cosigned_.clear(); }

  // When this agent cosigned `note`, by its own clock; nullopt when it did not.
  std::optional<absl::Time> CosignedAt(const std::string& note) const;

 private:
  const MemberId self_;
  const SigningKey witness_;
  const PeerBook& peers_;
  const LogWatch& log_;
  Restored& restored_;
  const Clock& clock_;
  std::string cosigned_;  // text of the last checkpoint
  absl::Time cosigned_at_;
};

}  // namespace amparo::agent

#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/auditor/access_anchor.h"
#include "agents/auditor/erasures.h"
#include "agents/auditor/link_check.h"
#include "agents/auditor/network_fold.h"
#include "agents/auditor/opening_check.h"
#include "agents/auditor/report.h"
#include "crypto/checkpoint.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/ids.h"
#include "proto/envelope/lifecycle.h"
#include "proto/envelope/log_entry.h"

namespace amparo::auditor {

// Step 7: every opened event is signed by a key that was valid at its leaf, by
// the member whose business it is, in an order that the lifecycle allows.
// Holds what waits to be delivered, and a hash of what no longer does. One
// thread at a time.
class EventCheck {
 public:
  struct Waiting {
    LeafIndex leaf;
    EnvelopeId id;
    MemberId sender;
    MemberId recipient;
    absl::Time expires;
    bool operator==(const Waiting&) const = default;
  };
  // What a later event is judged by.
  struct State {
    absl::flat_hash_map<Digest, Waiting> waiting;
    absl::flat_hash_set<Digest> ended;            // envelopes that were opened
    std::map<MemberId, Checkpoint> access_logs;   // newest of each member
    std::map<MemberId, LeafIndex> access_leaves;  // and its entry
    bool operator==(const State&) const = default;
  };

  // All must outlive the EventCheck; the sinks may be null.
  EventCheck(const NetworkFold& network, OpeningCheck& openings,
             Erasures& erasures, LinkCheck& links, Report& report,
             const TimelineSink& timeline,
             const AccessAnchorSink& access_anchors)
      : network_(network),
        openings_(openings),
        erasures_(erasures),
        links_(links),
        report_(report),
        timeline_(timeline),
        access_anchors_(access_anchors) {}

  // In leaf order.
  void OnEvent(LeafIndex leaf, absl::Time time, const AuditEvent& event);
  // After `network` was shown a charter: what it says of earlier mail.
  void OnCharter(LeafIndex leaf);
  // After the last leaf.
  void Finish();

  const State& state() const { return state_; }
  void Restore(State state) { state_ = std::move(state); }

 private:
  // Where an event stands; the row that the timeline gets.
  struct Place {
    LeafIndex leaf;
    absl::Time time;
    TimelineEntry* row;
  };

  void Judge(const Place& at, const EnvelopeEvent& event);
  void Judge(const Place& at, const AnchorEvent& event);
  void Judge(const Place& at, const ReceiptEvent& event);
  void Judge(const Place& at, const RecallEvent& event);
  void Judge(const Place& at, const ExpiryEvent& event);
  void Judge(const Place& at, const ErasureEvent& event);
  void Judge(const Place& at, const AccessLogEvent& event);

  // OK when nothing can be judged either: the step says so.
  absl::Status CheckEnvelope(const Place& at, const Header& header,
                             const EnvelopeEvent& event) const;
  absl::Status CheckAnchor(const Place& at, const SignedAnchor& anchor) const;
  absl::Status CheckAccessLog(const Place& at, const MemberId& member,
                              const AccessLogEvent& event) const;
  // A member's access log does not shrink, unless the member was restored.
  void CompareAccessLog(const Place& at, const MemberId& member,
                        const Checkpoint& checkpoint);
  absl::Status CheckNet(const Digest& net) const;
  KeyLookup LookupAt(const Place& at, std::optional<MemberId>& signer) const;

  // The entries that may hold an envelope that does not wait.
  struct Erased {
    uint64_t begin = 0, end = 0;
    std::optional<MemberId> from, to;
  };
  // The envelope that waits under `digest`, to be ended; null, with a finding
  // unless one that was erased may be it, when none does.
  const Waiting* FindWaiting(const Place& at, const Digest& digest,
                             const Erased& erased);
  void End(const Place& at, const Digest& digest, EnvelopeEventKind event);
  void AddBad(const Place& at, absl::string_view why);
  static Finding LateFinding(const Place& at, const std::string& text);
  void AddLate(const Place& at, const std::string& text);

  const NetworkFold& network_;
  OpeningCheck& openings_;
  Erasures& erasures_;
  LinkCheck& links_;
  Report& report_;
  const TimelineSink& timeline_;
  const AccessAnchorSink& access_anchors_;
  State state_;
  // The last envelopes of each sender that no charter disowned.
  std::map<MemberId, std::deque<std::pair<LeafIndex, absl::Time>>> recent_;
};

}  // namespace amparo::auditor

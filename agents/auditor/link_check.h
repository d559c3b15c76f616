#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "agents/auditor/erasures.h"
#include "agents/auditor/leaf_set.h"
#include "agents/auditor/report.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/envelope/envelope.h"

namespace amparo::auditor {

// Step 8: one chain of envelopes per (sender's key, recipient), without gap or
// fork; the log's times never fall, and what its writers say of the time fits
// them. Holds one head a chain. One thread at a time.
class LinkCheck {
 public:
  struct Head {
    uint64_t seq = 0;
    Digest digest;
    uint64_t unopened = 0;  // how many OnEnvelope got
    bool operator==(const Head&) const = default;
  };
  // What a later entry is judged by.
  struct State {
    std::optional<absl::Time> newest;
    // By sender's key and recipient.
    std::map<std::pair<Digest, MemberId>, Head> chains;
    // By sender and recipient: the head of the chain that moved last.
    std::map<std::pair<MemberId, MemberId>, Head> latest;
    bool operator==(const State&) const = default;
  };

  // `whole`: it is shown every entry; else no chain is judged, and the times
  // are. Both must outlive the LinkCheck.
  LinkCheck(bool whole, Erasures& erasures, Report& report)
      : whole_(whole), erasures_(erasures), report_(report) {}

  // Every entry, in leaf order.
  void OnEntry(LeafIndex leaf, absl::Time time);
  // `created` as the signed bytes of the entry say.
  void OnCreated(LeafIndex leaf, absl::Time time, absl::Time created);
  // An envelope whose signature is good, or could not be judged. `unopened`:
  // commitments before it without opening; they may be what a chain lacks, if
  // both ends let them be erased.
  void OnEnvelope(LeafIndex leaf, const Header& header, const Digest& digest,
                  const LeafSet& unopened);

  const State& state() const { return state_; }
  void Restore(State state) { state_ = std::move(state); }

 private:
  void CheckFirst(LeafIndex leaf, const Header& header,
                  const LeafSet& unopened);
  void CheckNext(LeafIndex leaf, const Header& header, const LeafSet& unopened,
                 const Head& head);
  void Add(FindingCode code, LeafIndex leaf, const std::string& text,
           const char* check = "");
  // The chain of `header` lacks `needed` envelopes, or more: of those without
  // opening, the first `skip` left out, they must have been that.
  void Lacks(uint64_t needed, LeafIndex leaf, const Header& header,
             const LeafSet& unopened, uint64_t skip, Finding finding);

  const bool whole_;
  Erasures& erasures_;
  Report& report_;
  State state_;
};

}  // namespace amparo::auditor

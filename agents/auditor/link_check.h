#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
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
    uint64_t unopened = 0;  // as OnEnvelope got it
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

  explicit LinkCheck(Report& report) : report_(report) {}

  // Every entry, in leaf order.
  void OnEntry(LeafIndex leaf, absl::Time time);
  // `created` as the signed bytes of the entry say.
  void OnCreated(LeafIndex leaf, absl::Time time, absl::Time created);
  // An envelope whose signature is good, or could not be judged. `unopened`:
  // commitments before it without opening; they may be what a chain lacks.
  void OnEnvelope(LeafIndex leaf, const Header& header, const Digest& digest,
                  uint64_t unopened);

  const State& state() const { return state_; }
  void Restore(State state) { state_ = std::move(state); }

 private:
  void CheckFirst(LeafIndex leaf, const Header& header, uint64_t unopened);
  void CheckNext(LeafIndex leaf, const Header& header, uint64_t unopened,
                 const Head& head);
  void Add(FindingCode code, LeafIndex leaf, const std::string& text,
           const char* check = "");

  Report& report_;
  State state_;
};

}  // namespace amparo::auditor

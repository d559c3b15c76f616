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
  explicit LinkCheck(Report& report) : report_(report) {}

  // Every entry, in leaf order.
  void OnEntry(LeafIndex leaf, absl::Time time);
  // `created` as the signed bytes of the entry say.
  void OnCreated(LeafIndex leaf, absl::Time time, absl::Time created);
  // An envelope whose signature is good, or could not be judged. `unopened`:
  // commitments before it without opening; they may be what a chain lacks.
  void OnEnvelope(LeafIndex leaf, const Header& header, const Digest& digest,
                  uint64_t unopened);

 private:
  struct Head {
    uint64_t seq = 0;
    Digest digest;
    uint64_t unopened = 0;
  };
  void CheckFirst(LeafIndex leaf, const Header& header, uint64_t unopened);
  void CheckNext(LeafIndex leaf, const Header& header, uint64_t unopened,
                 const Head& head);
  void Add(FindingCode code, LeafIndex leaf, const std::string& text,
           const char* check = "");

  Report& report_;
  std::optional<absl::Time> newest_;
  std::map<std::pair<Digest, MemberId>, Head> chains_;
  // By sender and recipient: the head of the chain that moved last.
  std::map<std::pair<MemberId, MemberId>, Head> latest_;
};

}  // namespace amparo::auditor

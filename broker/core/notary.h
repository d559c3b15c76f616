#pragma once

#include <string>

#include "base/clock.h"
#include "broker/core/admission.h"
#include "broker/core/ledger.h"
#include "broker/store/store.h"
#include "proto/envelope/anchor.h"

namespace amparo::broker {

// Dates what members sign, but for mail. `peer` is the member that TLS
// authenticated; only its own documents are taken, the same one again gets the
// first receipt. Thread-safe.
class Notary {
 public:
  // All must outlive the notary.
  Notary(Store& store, Admission& admission, Ledger& ledger,
         const Clock& clock);

  // Checked like an envelope's time and signature.
  void LogAnchor(const MemberId& peer, SignedAnchor anchor, Done done);

  // A checkpoint (C2SP signed note, at most 4 KiB) of the member's access log,
  // with a signature line by its newest signing key (type 0x01, any name).
  void LogAccessCheckpoint(const MemberId& peer, std::string note, Done done);

  // Erases openings to which `peer` is a party once every other party asked for
  // the same. NOT_FOUND when it is a party of none of the leaves,
  // FAILED_PRECONDITION for an envelope that is still pending.
  void LogErasure(const MemberId& peer, std::string token, Done done);

  // A key event of `peer`. Another one for its seq: ALREADY_EXISTS
  // ("conflict").
  void PublishKeyEvent(const MemberId& peer, std::string document, Done done);

 private:
  absl::StatusOr<Op> ErasedOp(const Network& network, const MemberId& peer,
                              const std::string& token);

  Store& store_;
  Admission& admission_;
  Ledger& ledger_;
  const Clock& clock_;
};

}  // namespace amparo::broker

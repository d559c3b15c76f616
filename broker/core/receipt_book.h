#pragma once

#include <vector>

#include "base/mutex.h"
#include "broker/store/store.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "proto/envelope/log_entry.h"

namespace amparo::broker {

// Signs leaf receipts with the log key. Ed25519 is deterministic, so the same
// leaf always gets the same receipt; the newest are remembered, because each
// goes out twice: to the sender and to the recipient. Thread-safe.
class ReceiptBook {
 public:
  // `log_key` must outlive the book.
  explicit ReceiptBook(const SigningKey& log_key);

  LeafReceipt ReceiptFor(const Digest& network_id, const Leaf& leaf);

 private:
  static constexpr size_t kSlots = 8192;
  struct Slot {
    LeafIndex leaf;
    bool used = false;
    Signature signature;
  };

  const SigningKey& log_key_;
  Mutex mutex_;
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::broker

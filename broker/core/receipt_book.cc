#include "broker/core/receipt_book.h"

namespace amparo::broker {

ReceiptBook::ReceiptBook(const SigningKey& log_key)
    : log_key_(log_key), slots_(kSlots) {}

LeafReceipt ReceiptBook::ReceiptFor(const Digest& network_id,
                                    const Leaf& leaf) {
  const size_t slot = leaf.index.value() % kSlots;
  LeafReceipt receipt{leaf.index, leaf.entry.time, leaf.salt, {}};
  {
    MutexLock lock(mutex_);
    if (slots_[slot].used && slots_[slot].leaf == leaf.index) {
      receipt.signature = slots_[slot].signature;
      return receipt;
    }
  }
  receipt.signature =
      SignLeafReceipt(log_key_, network_id, leaf.index, leaf.entry);
  MutexLock lock(mutex_);
  slots_[slot] = {leaf.index, true, receipt.signature};
  return receipt;
}

}  // namespace amparo::broker

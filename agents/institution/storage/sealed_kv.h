#pragma once

#include <utility>

#include "base/kv/kv.h"
#include "crypto/secret.h"

namespace amparo::agent {

// A KeyValue whose values are encrypted under the vault key before they reach
// another one, each bound to its key: a value moved to another key, or changed,
// is DATA_LOSS. Keys stay readable, so they hold random ids and names of tables
// only. Hides neither sizes nor which key changes. Thread-safe.
class SealedKv final : public KeyValue {
 public:
  // `below` must outlive this; `vault_key` has 32 bytes.
  SealedKv(KeyValue& below, SecretKeyBytes vault_key)
      : below_(below), vault_key_(std::move(vault_key)) {}

  absl::StatusOr<Bytes> Get(absl::string_view key) const override;
  absl::Status Scan(absl::string_view prefix, absl::string_view start,
                    const std::function<bool(absl::string_view, ByteView)>& visit)
      const override;
  absl::Status Write(const Batch& batch) override;
  absl::Status Purge(absl::string_view prefix) override {
    return below_.Purge(prefix);
  }

 private:
  absl::StatusOr<SecretBuffer> OpenValue(absl::string_view key,
                                         ByteView sealed) const;

  KeyValue& below_;
  const SecretKeyBytes vault_key_;
};

}  // namespace amparo::agent

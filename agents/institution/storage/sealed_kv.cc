#include "agents/institution/storage/sealed_kv.h"

#include "base/status.h"
#include "crypto/aead.h"

namespace amparo::agent {

absl::StatusOr<SecretBuffer> SealedKv::OpenValue(absl::string_view key,
                                                 ByteView sealed) const {
  auto opened = OpenLocal(vault_key_, AsBytes(key), sealed);
  if (!opened.ok())
    return absl::DataLossError("a stored value does not belong to its key");
  return opened;
}

absl::StatusOr<Bytes> SealedKv::Get(absl::string_view key) const {
  ASSIGN_OR_RETURN(const Bytes sealed, below_.Get(key));
  ASSIGN_OR_RETURN(const SecretBuffer value, OpenValue(key, sealed));
  return ToBytes(value.Expose());
}

absl::Status SealedKv::Scan(
    absl::string_view prefix, absl::string_view start,
    const std::function<bool(absl::string_view, ByteView)>& visit) const {
  absl::Status opened;
  RETURN_IF_ERROR(below_.Scan(
      prefix, start, [&](absl::string_view key, ByteView sealed) {
        const auto value = OpenValue(key, sealed);
        opened = value.status();
        return opened.ok() && visit(key, value->Expose());
      }));
  return opened;
}

absl::Status SealedKv::Write(const Batch& batch) {
  Batch sealed;
  for (const Batch::Change& change : batch.changes()) {
    if (change.value.has_value())
      sealed.Put(change.key, SealLocal(vault_key_, AsBytes(change.key), *change.value));
    else
      sealed.Delete(change.key);
  }
  return below_.Write(sealed);
}

}  // namespace amparo::agent

#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/keystore.h"
#include "crypto/secret.h"
#include "crypto/stream.h"

namespace amparo::agent {

// A backup: one file that one passphrase opens. Two lines of text, the format
// and a keystore (crypto/keystore.h) that holds a fresh stream key; then a
// stream (crypto/stream.h) of named records. Whoever has it without the
// passphrase has a guessing job, and nothing can be cut off, swapped or added.
// Writing and reading take constant memory but for the largest record.

enum class BackupPart : uint8_t { kFile = 1, kRow = 2 };

// One thread at a time.
class BackupWriter {
 public:
  using Sink = std::function<absl::Status(ByteView)>;
  // Writes the beginning. Errors: of `sink`, and of SealKeystore.
  static absl::StatusOr<std::unique_ptr<BackupWriter>> Create(
      Sink sink, const SecretBuffer& passphrase, KeystoreCost cost);

  absl::Status Add(BackupPart part, absl::string_view name, ByteView content);
  // Without this it is no backup. Nothing may be added after it.
  absl::Status Finish();

 private:
  BackupWriter(Sink sink, const SecretKeyBytes& key)
      : sink_(std::move(sink)), sealer_(key), chunk_(kStreamChunkBytes) {}
  absl::Status Put(ByteView bytes);
  absl::Status Flush(bool final);

  const Sink sink_;
  StreamSealer sealer_;
  SecretBuffer chunk_;
  size_t filled_ = 0;
};

// Fills the span, or less at the end only.
using BackupSource = std::function<absl::StatusOr<size_t>(std::span<uint8_t>)>;
// Calls `take` for each record, in order. Nothing of it may be used before this
// returned OK. PERMISSION_DENIED for a wrong passphrase, DATA_LOSS for a
// damaged file or one cut short, UNIMPLEMENTED for another version's,
// INVALID_ARGUMENT for no backup at all; else errors of `take` and `source`.
absl::Status ReadBackup(
    const BackupSource& source, const SecretBuffer& passphrase,
    const std::function<absl::Status(BackupPart, absl::string_view name,
                                     ByteView content)>& take);

}  // namespace amparo::agent

#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "crypto/secret.h"

namespace amparo {

// Attachments: crypto_secretstream_xchacha20poly1305 in chunks of 64 KiB under
// a fresh key for each recipient. Constant memory. One thread at a time.

inline constexpr size_t kStreamChunkBytes = 64 * 1024;
inline constexpr size_t kStreamHeaderBytes = 24;
inline constexpr size_t kStreamOverheadBytes = 17;  // per chunk

class StreamSealer {
 public:
  explicit StreamSealer(const SecretKeyBytes& key);  // 32 bytes
  // Goes in front of the first chunk.
  ByteView header() const;
  // Seals the next chunk: exactly kStreamChunkBytes, or fewer when `final`.
  // FAILED_PRECONDITION after the final one.
  absl::StatusOr<Bytes> Push(ByteView chunk, bool final);

 private:
  SecretKeyBytes state_;
  Bytes header_;
  bool finished_ = false;
};

class StreamOpener {
 public:
  static absl::StatusOr<StreamOpener> Create(const SecretKeyBytes& key,
                                             ByteView header);
  // The next chunk's plaintext; PERMISSION_DENIED when it is not the next one
  // of this stream. Release nothing before finished() *and* the whole
  // plaintext's hash fits.
  absl::StatusOr<SecretBuffer> Pull(ByteView sealed);
  bool finished() const { return finished_; }

 private:
  explicit StreamOpener(SecretKeyBytes state) : state_(std::move(state)) {}
  SecretKeyBytes state_;
  bool finished_ = false;
};

}  // namespace amparo

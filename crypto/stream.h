#pragma once

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "crypto/secret.h"

namespace amparo {

// Attachments: crypto_secretstream_xchacha20poly1305 in chunks of 64 KiB under
// a fresh key for each recipient. Constant memory. One thread at a time.

inline constexpr size_t kStreamKeyBytes = 32;
inline constexpr size_t kStreamChunkBytes = 64 * 1024;
inline constexpr size_t kStreamHeaderBytes = 24;
inline constexpr size_t kStreamOverheadBytes = 17;  // per chunk

class StreamSealer {
 public:
  // A key of another size than kStreamKeyBytes is a bug and aborts.
  explicit StreamSealer(const SecretKeyBytes& key);
  // Goes in front of the first chunk.
  ByteView header() const { return header_; }
  // Seals the next chunk: exactly kStreamChunkBytes, or that many at most when
  // `final`; INVALID_ARGUMENT otherwise. FAILED_PRECONDITION after the final
  // one.
  absl::StatusOr<Bytes> Push(ByteView chunk, bool final);

 private:
  SecretKeyBytes state_;
  Bytes header_;
  bool finished_ = false;
};

class StreamOpener {
 public:
  // INVALID_ARGUMENT when key or header is of another size.
  static absl::StatusOr<StreamOpener> Create(const SecretKeyBytes& key,
                                             ByteView header);
  // The next chunk's plaintext; PERMISSION_DENIED when it is not the next one
  // of this stream, and for everything after that. Release nothing before
  // finished() *and* the whole plaintext's hash fits.
  absl::StatusOr<SecretBuffer> Pull(ByteView sealed);
  // The final chunk was opened: nothing was cut off.
  bool finished() const { return finished_; }

 private:
  explicit StreamOpener(SecretKeyBytes state) : state_(std::move(state)) {}
  SecretKeyBytes state_;
  bool finished_ = false;
  bool broken_ = false;
};

}  // namespace amparo

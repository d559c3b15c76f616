#include "crypto/stream.h"

#include <sodium.h>

#include <cstdlib>

namespace amparo {
namespace {

using State = crypto_secretstream_xchacha20poly1305_state;

static_assert(kStreamKeyBytes ==
              crypto_secretstream_xchacha20poly1305_KEYBYTES);
static_assert(kStreamHeaderBytes ==
              crypto_secretstream_xchacha20poly1305_HEADERBYTES);
static_assert(kStreamOverheadBytes ==
              crypto_secretstream_xchacha20poly1305_ABYTES);
// The state holds the key, so it lies in guarded memory, at any address.
static_assert(alignof(State) == 1);

constexpr uint8_t kMessage = crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
constexpr uint8_t kFinal = crypto_secretstream_xchacha20poly1305_TAG_FINAL;

State* AsState(SecretKeyBytes& bytes) {
  return reinterpret_cast<State*>(bytes.Mutable().data());
}

absl::Status NotTheNextChunk() {
  return absl::PermissionDeniedError("not the next chunk of this stream");
}

}  // namespace

StreamSealer::StreamSealer(const SecretKeyBytes& key)
    : state_(sizeof(State)), header_(kStreamHeaderBytes) {
  if (key.size() != kStreamKeyBytes ||
      crypto_secretstream_xchacha20poly1305_init_push(
          AsState(state_), header_.data(), key.Expose().data()) != 0)
    std::abort();
}

absl::StatusOr<Bytes> StreamSealer::Push(ByteView chunk, bool final) {
  if (finished_)
    return absl::FailedPreconditionError("the stream has had its final chunk");
  if (chunk.size() > kStreamChunkBytes ||
      (!final && chunk.size() != kStreamChunkBytes))
    return absl::InvalidArgumentError("a chunk of the wrong size");
  Bytes sealed(chunk.size() + kStreamOverheadBytes);
  if (crypto_secretstream_xchacha20poly1305_push(
          AsState(state_), sealed.data(), nullptr, chunk.data(), chunk.size(),
          nullptr, 0, final ? kFinal : kMessage) != 0)
    return absl::InternalError("a chunk cannot be sealed");
  finished_ = final;
  return sealed;
}

absl::StatusOr<StreamOpener> StreamOpener::Create(const SecretKeyBytes& key,
                                                  ByteView header) {
  if (key.size() != kStreamKeyBytes || header.size() != kStreamHeaderBytes)
    return absl::InvalidArgumentError(
        "a stream's key or header of another size");
  SecretKeyBytes state(sizeof(State));
  if (crypto_secretstream_xchacha20poly1305_init_pull(
          AsState(state), header.data(), key.Expose().data()) != 0)
    return absl::InvalidArgumentError("not a stream's header");
  return StreamOpener(std::move(state));
}

absl::StatusOr<SecretBuffer> StreamOpener::Pull(ByteView sealed) {
  if (finished_ || broken_) return NotTheNextChunk();
  broken_ = true;  // until everything below has fitted
  if (sealed.size() < kStreamOverheadBytes ||
      sealed.size() > kStreamChunkBytes + kStreamOverheadBytes)
    return NotTheNextChunk();
  SecretBuffer chunk(sealed.size() - kStreamOverheadBytes);
  uint8_t tag = 0;
  if (crypto_secretstream_xchacha20poly1305_pull(
          AsState(state_), chunk.Mutable().data(), nullptr, &tag, sealed.data(),
          sealed.size(), nullptr, 0) != 0)
    return NotTheNextChunk();
  // Our sealer makes full chunks and a final one, nothing else.
  if (tag != kFinal && (tag != kMessage || chunk.size() != kStreamChunkBytes))
    return NotTheNextChunk();
  finished_ = tag == kFinal;
  broken_ = false;
  return chunk;
}

}  // namespace amparo

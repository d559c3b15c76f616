#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"
#include "base/bytes.h"

// Types for what must not leak: move-only, not printable, wiped on
// destruction. `Expose()` is the only way in, and tests/tidy lists the files
// that may call it.

namespace amparo {

// A key of a few bytes in guarded, locked memory (sodium_malloc). Immutable
// after construction but for Mutable(); one thread at a time while mutable.
class SecretKeyBytes {
 public:
  // `size` zero bytes. Aborts when memory cannot be had.
  explicit SecretKeyBytes(size_t size);
  static SecretKeyBytes CopyOf(ByteView bytes);
  static SecretKeyBytes Random(size_t size);
  SecretKeyBytes(SecretKeyBytes&& other) noexcept;
  SecretKeyBytes& operator=(SecretKeyBytes&& other) noexcept;
  ~SecretKeyBytes();

  SecretKeyBytes Copy() const { return CopyOf(Expose()); }
  size_t size() const { return size_; }
  ByteView Expose() const { return {data_, size_}; }
  std::span<uint8_t> Mutable() { return {data_, size_}; }

 private:
  uint8_t* data_;
  size_t size_;
};

// Plaintext of any size, in ordinary memory that is wiped before it is freed.
// Not guarded: guard pages per message would cost more than they protect.
class SecretBuffer {
 public:
  SecretBuffer() = default;
  explicit SecretBuffer(size_t size);
  static SecretBuffer CopyOf(ByteView bytes);
  static SecretBuffer CopyOf(absl::string_view text) {
    return CopyOf(AsBytes(text));
  }
  SecretBuffer(SecretBuffer&& other) noexcept;
  SecretBuffer& operator=(SecretBuffer&& other) noexcept;
  ~SecretBuffer();

  SecretBuffer Copy() const { return CopyOf(Expose()); }
  // Shortens; what is cut off is wiped. Precondition: size <= this->size().
  void Shrink(size_t size);
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteView Expose() const { return {data_, size_}; }
  std::span<uint8_t> Mutable() { return {data_, size_}; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// Constant-time in the content; false at once when sizes differ.
bool EqualSecret(ByteView a, ByteView b);

// Overwrites memory in a way the compiler keeps.
void Wipe(std::span<uint8_t> bytes);

}  // namespace amparo

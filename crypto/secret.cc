#include "crypto/secret.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace amparo {

SecretKeyBytes::SecretKeyBytes(size_t size)
    : data_(static_cast<uint8_t*>(sodium_malloc(size))), size_(size) {
  if (data_ == nullptr) std::abort();
  // sodium_malloc fills with garbage on purpose; "size zero bytes" is promised.
  std::fill_n(data_, size_, uint8_t{0});
}

SecretKeyBytes SecretKeyBytes::CopyOf(ByteView bytes) {
  SecretKeyBytes copy(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.data_);
  return copy;
}

SecretKeyBytes SecretKeyBytes::Random(size_t size) {
  SecretKeyBytes key(size);
  randombytes_buf(key.data_, size);
  return key;
}

SecretKeyBytes::SecretKeyBytes(SecretKeyBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

SecretKeyBytes& SecretKeyBytes::operator=(SecretKeyBytes&& other) noexcept {
  if (this == &other) return *this;
  sodium_free(data_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

// sodium_free wipes, and checks that nothing was written beyond the end.
SecretKeyBytes::~SecretKeyBytes() { sodium_free(data_); }

SecretBuffer::SecretBuffer(size_t size)
    : data_(nullptr), size_(size), capacity_(size) {
  if (size == 0) return;
  data_ = static_cast<uint8_t*>(std::calloc(size, 1));
  if (data_ == nullptr) std::abort();
}

SecretBuffer SecretBuffer::CopyOf(ByteView bytes) {
  SecretBuffer copy(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.data_);
  return copy;
}

SecretBuffer::SecretBuffer(SecretBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

SecretBuffer& SecretBuffer::operator=(SecretBuffer&& other) noexcept {
  if (this == &other) return *this;
  SecretBuffer old(std::move(*this));  // wiped and freed at the end
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

SecretBuffer::~SecretBuffer() {
  if (data_ == nullptr) return;
  sodium_memzero(data_, capacity_);
  std::free(data_);
}

void SecretBuffer::Shrink(size_t size) {
  if (size > size_) std::abort();
  Wipe(Mutable().subspan(size));
  size_ = size;
}

bool EqualSecret(ByteView a, ByteView b) {
  return a.size() == b.size() &&
         sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void Wipe(std::span<uint8_t> bytes) {
  if (!bytes.empty()) sodium_memzero(bytes.data(), bytes.size());
}

}  // namespace amparo

// Linked into programs that handle plaintext: every block that C++ frees is
// overwritten first, so that what passed through strings, Protobuf or JSON
// values of libraries does not stay behind in free memory. Secrets that we hold
// ourselves live in crypto/secret.h's types all the same.

#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace {

void WipeAndFree(void* block) {
  if (block == nullptr) return;
  explicit_bzero(block, malloc_usable_size(block));
  std::free(block);
}

}  // namespace

// libstdc++'s operator new takes its memory from malloc and aligned_alloc.
void operator delete(void* block) noexcept { WipeAndFree(block); }
void operator delete[](void* block) noexcept { WipeAndFree(block); }
void operator delete(void* block, std::size_t) noexcept { WipeAndFree(block); }
void operator delete[](void* block, std::size_t) noexcept { WipeAndFree(block); }
void operator delete(void* block, std::align_val_t) noexcept { WipeAndFree(block); }
void operator delete[](void* block, std::align_val_t) noexcept { WipeAndFree(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  WipeAndFree(block);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
  WipeAndFree(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept { WipeAndFree(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { WipeAndFree(block); }

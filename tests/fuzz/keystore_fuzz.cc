#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "crypto/init.h"
#include "crypto/keystore.h"

// A keystore may come from anybody's stick or backup: it opens, or is refused
// with one of the declared errors. The corpus asks for the cheapest cost, so
// that inputs with a good checksum stay fast.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (!amparo::InitCrypto().ok()) std::abort();
  const auto passphrase = amparo::SecretBuffer::CopyOf("passphrase");
  const auto secret =
      amparo::OpenKeystore(amparo::AsText({data, size}), passphrase);
  switch (secret.status().code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInvalidArgument:
      return 0;
    default:
      std::abort();
  }
}

#include "crypto/init.h"

namespace amparo {
absl::Status InitCrypto() { return absl::OkStatus(); }
}  // namespace amparo

#pragma once

#include "absl/status/status.h"

namespace amparo {

// Call once at the start of main, before any other thread. Starts libsodium,
// proves that memory can be locked, switches core dumps off and runs the
// self-tests of crypto/sign.h: FAILED_PRECONDITION when the machine or its
// libsodium cannot be trusted with keys. Further calls do nothing.
absl::Status InitCrypto();

}  // namespace amparo

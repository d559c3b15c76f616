#include "crypto/init.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/bytes.h"
#include "base/status.h"
#include "crypto/sign.h"

namespace amparo {
namespace {

absl::Status ProbeLockedMemory() {
  // sodium_malloc ignores a failed mlock: keys would reach the swap unseen. A
  // key takes a page; this is room for 64.
  Bytes room(64 * 4096);
  if (sodium_mlock(room.data(), room.size()) != 0)
    return absl::FailedPreconditionError(
        "memory for keys cannot be locked: raise the limit of locked memory");
  if (sodium_munlock(room.data(), room.size()) != 0)
    return absl::FailedPreconditionError("locked memory cannot be released");
  return absl::OkStatus();
}

absl::Status ForbidCoreDumps() {
  const rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0 ||
      prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return absl::FailedPreconditionError("core dumps cannot be switched off");
  return absl::OkStatus();
}

absl::Status InitOnce() {
  if (sodium_init() < 0)
    return absl::FailedPreconditionError("libsodium does not start");
  RETURN_IF_ERROR(ProbeLockedMemory());
  RETURN_IF_ERROR(ForbidCoreDumps());
  return SelfTestSign();
}

}  // namespace

absl::Status InitCrypto() {
  static const absl::Status status = InitOnce();
  return status;
}

}  // namespace amparo

#include "base/version.h"

namespace amparo {

const char kVersion[] = AMPARO_VERSION;

}  // namespace amparo

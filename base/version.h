#pragma once

namespace amparo {

// The version of all programs, "0.1.0", from CMakeLists.txt.
extern const char kVersion[];

}  // namespace amparo

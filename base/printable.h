#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace amparo {

// `text` without what could steer a terminal: control characters but the
// newline, C1 controls included, become '?'. Texts of strangers are printed
// through it.
std::string Printable(absl::string_view text);

}  // namespace amparo

#include <cstdint>

#include "proto/content/case_opening.h"
#include "tests/fuzz/signed_payload.h"

// What a party hands to an auditor: what is taken has one spelling.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto opening = ParseCaseOpening(text);
  if (opening.ok()) Require(FormatCaseOpening(*opening) == text);
  return 0;
}

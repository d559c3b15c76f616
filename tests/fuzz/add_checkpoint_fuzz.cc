#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "crypto/add_checkpoint.h"
#include "crypto/tlog_witness.h"

// A request that parses has one spelling; a witness has an answer of the
// protocol to everything, and remembers only what the log signed.

namespace amparo {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void TryRequest(absl::string_view input) {
  const auto request = ParseAddCheckpoint(input);
  if (!request.ok()) return;
  Require(FormatAddCheckpoint(*request) == input);
}

void TryWitness(absl::string_view input) {
  static const WitnessMemory memory = [] {
    const NoteVerifier log = *NoteVerifier::Parse(
        "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce7"
        "68b0ff0309e562+5202289b+Af/cLU2Y5BJNP+r3iMDC+av9eWCD0fBJVDfzAux5zxAP");
    return WitnessMemory{{log.name(), *RememberLog({log}, "")}};
  }();
  const WitnessVerdict verdict = JudgeAddCheckpoint(memory, input);
  switch (verdict.status) {
    case 200:
    case 409:
    case 422:
      Require(memory.contains(verdict.origin) && !verdict.note.empty());
      break;
    case 400:
      break;
    case 403:
    case 404:
      Require(verdict.origin.empty());
      break;
    default:
      std::abort();
  }
}

}  // namespace
}  // namespace amparo

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input = amparo::AsText({data, size});
  amparo::TryRequest(input);
  amparo::TryWitness(input);
  const auto witnessed = amparo::ParseWitnessSize(input);
  if (witnessed.ok() && amparo::FormatWitnessSize(*witnessed) != input)
    std::abort();
  return 0;
}

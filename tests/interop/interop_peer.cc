#include <cstdint>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "base/error_json.h"
#include "base/status.h"
#include "crypto/init.h"
#include "tests/interop/acceptance.h"
#include "tests/interop/documents.h"
#include "tests/interop/log_folder.h"

// Our side of the interoperability tests: what a third party's library checks
// is printed, what it made is read from standard input.
//
//   interop_peer documents          prints one of each document
//   interop_peer accept KIND        reads a request, prints what was read in it
//   interop_peer log FOLDER SIZE    writes an exported log
//
// A refusal is error/1 on standard error and its exit status.

namespace amparo {
namespace {

constexpr char kUsage[] =
    "interop_peer documents | accept KIND | log FOLDER SIZE";
constexpr size_t kRequestDepthMax = 32;

absl::Status PrintAccepted(const std::string& kind) {
  const std::string text((std::istreambuf_iterator<char>(std::cin)), {});
  ASSIGN_OR_RETURN(const Json request, ParseJson(text, kRequestDepthMax));
  ASSIGN_OR_RETURN(const Json accepted, Accept(kind, request));
  std::cout << DumpJson(accepted) << "\n";
  return absl::OkStatus();
}

absl::Status Run(const std::vector<std::string>& args) {
  RETURN_IF_ERROR(InitCrypto());
  if (args.size() == 1 && args[0] == "documents") {
    std::cout << DumpJson(EmitDocuments()) << "\n";
    return absl::OkStatus();
  }
  if (args.size() == 2 && args[0] == "accept") return PrintAccepted(args[1]);
  uint64_t size = 0;
  if (args.size() == 3 && args[0] == "log" && absl::SimpleAtoi(args[2], &size))
    return WriteLogFolder(args[1], size);
  return absl::UnimplementedError(kUsage);
}

}  // namespace
}  // namespace amparo

int main(int argc, char** argv) try {
  const absl::Status status =
      amparo::Run(std::vector<std::string>(argv + 1, argv + argc));
  if (!status.ok()) std::cerr << amparo::ErrorJson(status) << "\n";
  return amparo::ExitOf(status);
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}

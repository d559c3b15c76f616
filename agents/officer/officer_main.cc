#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "agents/officer/run.h"
#include "base/clock.h"
#include "base/error_json.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/journal.h"

int main(int argc, char** argv) {
  std::setlocale(LC_CTYPE, "");  // how wide a letter is
  if (const absl::Status tls = amparo::AllowOnlyTls13(); !tls.ok()) {
    std::cerr << amparo::ErrorText("amparo", tls);
    return amparo::ExitOf(tls);
  }
  amparo::SilenceGrpc();
  const amparo::officer::Surroundings around = {
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .environment = [](const char* name) -> std::optional<std::string> {
        const char* value = std::getenv(name);
        if (value == nullptr) return std::nullopt;
        return value;
      },
      .out_is_terminal = isatty(STDOUT_FILENO) == 1,
      .zone = absl::LocalTimeZone(),
      .clock = amparo::SystemClock()};
  return amparo::officer::Run({argv + 1, argv + argc}, around);
}

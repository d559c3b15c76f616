#pragma once

#include <string>

#include "absl/status/statusor.h"

// What `amparo-audit witness` does, verb by verb. Each prints its result and
// gives the exit status.

namespace amparo::auditor {

struct WitnessOptions {
  bool json = false;
  std::string folder;
  std::string name;    // init
  std::string key;     // add-log: a verifier key, or network.json
  std::string listen;  // run: host:port
};

absl::StatusOr<int> RunWitnessInit(const WitnessOptions& options);
absl::StatusOr<int> RunWitnessAddLog(const WitnessOptions& options);
absl::StatusOr<int> RunWitnessShow(const WitnessOptions& options);
// Serves until SIGTERM or SIGINT.
absl::StatusOr<int> RunWitness(const WitnessOptions& options);

}  // namespace amparo::auditor

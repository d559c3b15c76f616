#pragma once

#include <functional>
#include <optional>
#include <string>

#include "crypto/keys.h"

namespace amparo::bench {

// What gRPC and RocksDB alone allow on this machine, in this minute, for the
// same requests as the broker gets (docs/PERFORMANCE.md, The bounds).
struct BoundOptions {
  std::string data;      // a broker's directory: TLS files and log key
  std::string database;  // a new folder
  // Without: B1, stores the ciphertext, synced, many in one batch, and answers.
  // With: B2, also verifies the envelope's signature by this key and signs the
  // answer.
  std::optional<VerifyKey> sender;
};

// Serves RelayService's Submit and Subscribe over mutual TLS until the process
// is killed; a reader gets what is stored from then on, out of memory.
void RunBoundServer(const BoundOptions& options,
                    const std::function<void(int port)>& ready);

}  // namespace amparo::bench

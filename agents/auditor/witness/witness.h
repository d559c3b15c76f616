#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/auditor/witness/witness_folder.h"
#include "base/clock.h"
#include "crypto/keys.h"
#include "crypto/tlog_witness.h"
#include "proto/http/http_port.h"

namespace amparo::auditor {

// A witness of logs (c2sp.org/tlog-witness): remembers the newest checkpoint of
// each that it cosigned, on disk before the cosignature leaves, and cosigns
// none that contradicts it. What proves a log's second history it keeps. One
// thread at a time.
class Witness {
 public:
  // What `folder` holds; errors as its ReadKey and ReadMemory. Whoever opens it
  // has the folder's lock. Both must outlive it.
  static absl::StatusOr<Witness> Open(const WitnessFolder& folder,
                                      const Clock& clock);

  // The answer to POST `path`: any prefix may stand before /add-checkpoint.
  HttpAnswer Answer(absl::string_view path, absl::string_view body);

  const std::string& name() const { return name_; }
  const WitnessMemory& memory() const { return memory_; }

 private:
  Witness(const WitnessFolder& folder, const Clock& clock, std::string name,
          SigningKey key, WitnessMemory memory);
  void Accuse(const WitnessVerdict& verdict, absl::string_view body) const;
  absl::StatusOr<std::string> Cosign(const WitnessVerdict& verdict);

  const WitnessFolder& folder_;
  const Clock& clock_;
  std::string name_;
  SigningKey key_;
  WitnessMemory memory_;
};

}  // namespace amparo::auditor

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/note.h"

namespace amparo {

// network.json, as the broker's `init` writes it: where a network is and by
// which keys its log and its ports are known. No root of trust: the charter is.
struct NetworkFile {
  std::string network;
  NoteVerifier log_key;
  Bytes ca_der;         // the network CA's certificate
  std::string members;  // host:port of the members' port
  std::string enrol;    // host:port of the enrolment port
  // Secret until version 1 of the charter is published; works for that only.
  std::optional<Bytes> founding_token;
  // While the CA changes: takes its place, and issues to members already.
  std::optional<Bytes> next_ca_der = std::nullopt;
  // Of the CaNote that says so; 0: nobody told yet.
  uint64_t ca_number = 0;
};

inline constexpr size_t kFoundingTokenBytes = 16;

// One line of JSON, schema "network/1".
std::string FormatNetworkFile(const NetworkFile& file);
// INVALID_ARGUMENT naming the field that is missing, unknown or wrong.
absl::StatusOr<NetworkFile> ParseNetworkFile(absl::string_view text);

}  // namespace amparo

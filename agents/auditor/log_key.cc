#include "agents/auditor/log_key.h"

#include "base/files.h"
#include "base/status.h"
#include "proto/network/network_file.h"

namespace amparo::auditor {
namespace {

constexpr size_t kNetworkFileBytesMax = 64 << 10;

}  // namespace

absl::StatusOr<NoteVerifier> ReadLogKey(const std::string& key_or_file) {
  if (absl::StatusOr<NoteVerifier> verifier = NoteVerifier::Parse(key_or_file);
      verifier.ok())
    return verifier;
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(key_or_file, kNetworkFileBytesMax));
  ASSIGN_OR_RETURN(const NetworkFile network, ParseNetworkFile(text));
  return network.log_key;
}

}  // namespace amparo::auditor

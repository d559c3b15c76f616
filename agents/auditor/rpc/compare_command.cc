#include <iostream>

#include "agents/auditor/checkpoint_pair.h"
#include "agents/auditor/rpc/commands.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/network/network_file.h"

namespace amparo::auditor {
namespace {

constexpr size_t kNetworkFileBytesMax = 64 << 10;

absl::StatusOr<NoteVerifier> ReadLogKey(const std::string& key) {
  if (absl::StatusOr<NoteVerifier> verifier = NoteVerifier::Parse(key);
      verifier.ok())
    return verifier;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(key, kNetworkFileBytesMax));
  ASSIGN_OR_RETURN(const NetworkFile network, ParseNetworkFile(text));
  return network.log_key;
}

}  // namespace

absl::StatusOr<int> RunCompare(const Arguments& arguments) {
  std::vector<std::string> notes;
  for (const std::string& path : arguments.notes) {
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, 2 * kNoteBytesMax));
    for (std::string& note : SplitNotes(text)) notes.push_back(std::move(note));
  }
  if (notes.size() != 2)
    return Usage("two signed checkpoints are compared, no more and no less",
                 "FILE");
  ASSIGN_OR_RETURN(const NoteVerifier log_key, ReadLogKey(arguments.log_key));
  std::unique_ptr<LeafSource> source;
  if (arguments.NamesASource()) {
    ASSIGN_OR_RETURN(source, OpenSource(arguments));
  }
  ASSIGN_OR_RETURN(
      const CheckpointPair pair,
      CompareCheckpoints(notes[0], notes[1], log_key, source.get()));
  if (arguments.json)
    std::cout << DumpJson(ToJson(pair)) << "\n";
  else
    std::cout << ToText(pair);
  return pair.ok() ? 0 : ExitOf("forked");
}

}  // namespace amparo::auditor

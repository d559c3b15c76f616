#include <iostream>

#include "agents/auditor/checkpoint_pair.h"
#include "agents/auditor/log_key.h"
#include "agents/auditor/rpc/commands.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/add_checkpoint.h"

namespace amparo::auditor {
namespace {

// What a log sent to a witness says how the larger one grew.
absl::StatusOr<std::vector<Digest>> ReadProof(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(path, kAddCheckpointBytesMax));
  absl::StatusOr<AddCheckpoint> request = ParseAddCheckpoint(text);
  if (!request.ok())
    return Usage("no request of the kind that a witness keeps", "--proof");
  return std::move(request->proof);
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
  std::vector<Digest> proof;
  if (!arguments.proof.empty()) {
    ASSIGN_OR_RETURN(proof, ReadProof(arguments.proof));
  }
  ASSIGN_OR_RETURN(
      const CheckpointPair pair,
      CompareCheckpoints(notes[0], notes[1], log_key, source.get(), proof));
  if (arguments.json)
    std::cout << DumpJson(ToJson(pair)) << "\n";
  else
    std::cout << ToText(pair);
  return pair.ok() ? 0 : ExitOf("forked");
}

}  // namespace amparo::auditor

#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agents/auditor/entry_view.h"
#include "agents/auditor/evidence_check.h"
#include "agents/auditor/evidence_make.h"
#include "agents/auditor/rpc/commands.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/tlog_proof.h"

namespace amparo::auditor {
namespace {

constexpr size_t kDocumentFileBytesMax = 1 << 20;

void WarnUnpinned(const std::optional<Digest>& root) {
  if (!root.has_value())
    std::cerr << kProgram
              << ": the root is not pinned: the first charter is taken at its "
                 "word; give --root with the hash from the paper protocol\n";
}

}  // namespace

absl::StatusOr<int> RunProve(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::optional<Digest> root, ReadRoot(arguments));
  std::optional<EvidenceDocument> document;
  if (!arguments.document.empty()) {
    ASSIGN_OR_RETURN(const std::string text,
                     ReadFile(arguments.document, kDocumentFileBytesMax));
    ASSIGN_OR_RETURN(document, ParseEvidenceDocument(text));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<LeafSource> source,
                   OpenSource(arguments));
  ASSIGN_OR_RETURN(const Evidence evidence,
                   MakeEvidence(*source, LeafIndex(arguments.entry), root,
                                std::move(document)));
  WarnUnpinned(root);
  const std::string pack = FormatEvidence(evidence);
  if (arguments.out.empty()) {
    std::cout << pack;
    return 0;
  }
  RETURN_IF_ERROR(WriteFile(arguments.out, pack, FileMode::kPrivate));
  const std::string proof =
      absl::StrCat(absl::StripSuffix(arguments.out, ".json"), ".tlog-proof");
  RETURN_IF_ERROR(
      WriteFile(proof, FormatTlogProof(evidence.Proof()), FileMode::kPrivate));
  if (arguments.json)
    std::cout << DumpJson({{"schema", "evidence_made/1"},
                           {"entry", arguments.entry},
                           {"entries", evidence.entries.size()},
                           {"bytes", pack.size()},
                           {"tlog_proof", proof}})
              << "\n";
  else
    std::cout << ToText(JudgeEvidence(evidence, root)) << "\nWritten to "
              << arguments.out << " (" << evidence.entries.size()
              << " entries, " << pack.size()
              << " bytes); its place in the tree, "
              << "for tlog tools, to " << proof << ".\n";
  return 0;
}

absl::StatusOr<int> RunVerify(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::optional<Digest> root, ReadRoot(arguments));
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(arguments.file, kEvidenceBytesMax));
  const absl::StatusOr<Evidence> evidence = ParseEvidence(text);
  if (!evidence.ok())
    return MakeError(absl::StatusCode::kDataLoss,
                     "the file is no pack of evidence, or was changed",
                     {.code = "tampered", .field = "FILE"});
  WarnUnpinned(root);
  const EvidenceVerdict verdict = JudgeEvidence(*evidence, root);
  if (arguments.json)
    std::cout << DumpJson(ToJson(verdict)) << "\n";
  else
    std::cout << ToText(verdict);
  return verdict.ok() ? 0 : ExitOf("verification_failed");
}

absl::StatusOr<int> RunShow(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<LeafSource> source,
                   OpenSource(arguments));
  ASSIGN_OR_RETURN(const std::string checkpoint, source->Checkpoint());
  ASSIGN_OR_RETURN(const Checkpoint claimed, PeekCheckpoint(checkpoint));
  ASSIGN_OR_RETURN(
      const EvidenceEntry entry,
      FetchEntry(*source, LeafIndex(arguments.entry), claimed.size));
  const EntryView view = ViewEntry(entry, claimed);
  if (arguments.json)
    std::cout << DumpJson(ToJson(view)) << "\n";
  else
    std::cout << ToText(view);
  return view.included && view.fits ? 0 : ExitOf("verification_failed");
}

}  // namespace amparo::auditor

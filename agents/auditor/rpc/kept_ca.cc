#include "agents/auditor/rpc/kept_ca.h"

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status.h"

namespace amparo::auditor {
namespace {

constexpr size_t kFileBytesMax = 64 << 10;

std::string NoteFile(const std::string& folder) {
  return absl::StrCat(folder, "/ca.note");
}

}  // namespace

absl::StatusOr<CaNote> KeptCa(const std::string& folder) {
  ASSIGN_OR_RETURN(const std::string note,
                   ReadFile(NoteFile(folder), kFileBytesMax));
  return ParseCaNote(note);
}

absl::Status KeepCa(const std::string& folder, const std::string& pem_file,
                    const CaNote& ca, absl::string_view note) {
  ASSIGN_OR_RETURN(const std::string bundle,
                   CaBundle(ca.ca_der, ca.next_ca_der));
  RETURN_IF_ERROR(WriteFile(pem_file, bundle, FileMode::kPublic));
  return WriteFile(NoteFile(folder), note, FileMode::kPublic);
}

}  // namespace amparo::auditor

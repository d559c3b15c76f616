#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/committee/draft_edit.h"
#include "agents/committee/draft_verbs.h"
#include "base/status.h"

namespace amparo::committee {

absl::StatusOr<Outcome> Set(const CharterFolder& folder,
                            const SetOptions& options) {
  ASSIGN_OR_RETURN(DraftEdit edit, DraftEdit::Begin(folder));
  ASSIGN_OR_RETURN(
      const Setting setting,
      ApplySetting(EncodeCharter(edit.draft()), options.words, options.change));
  RETURN_IF_ERROR(edit.Replace(setting.charter));
  ASSIGN_OR_RETURN(const std::vector<std::string> changes, edit.Keep());
  const std::string what =
      changes.empty() ? "Nothing changes." : absl::StrJoin(changes, "\n");
  return Outcome{{{"schema", "charter_set/1"},
                  {"key", setting.name},
                  {"changes", changes},
                  {"version", edit.version()}},
                 absl::StrCat(what, "\nDraft of version ", edit.version(),
                              ". Next: amparo-charter sign\n")};
}

}  // namespace amparo::committee

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
  const std::vector<std::string> warnings = edit.Warnings();
  std::string what = changes.empty() ? "Nothing changes.\n"
                                     : absl::StrJoin(changes, "\n") + "\n";
  for (const std::string& line : warnings) absl::StrAppend(&what, line, "\n");
  return Outcome{{{"schema", "charter_set/1"},
                  {"key", setting.name},
                  {"changes", changes},
                  {"warnings", warnings},
                  {"version", edit.version()}},
                 absl::StrCat(what, "Draft of version ", edit.version(),
                              ". Next: amparo-charter sign\n")};
}

}  // namespace amparo::committee

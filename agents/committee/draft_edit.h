#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/committee/charter_folder.h"
#include "base/json.h"
#include "proto/network/charter.h"

namespace amparo::committee {

// One change of the draft by a verb, from the draft as it is to the draft as it
// will be. One thread at a time.
class DraftEdit {
 public:
  // FAILED_PRECONDITION (code "conflict") when the version is being signed:
  // what was signed must not change.
  static absl::StatusOr<DraftEdit> Begin(const CharterFolder& folder);

  const std::optional<AcceptedCharter>& published() const { return published_; }
  Charter& draft() { return draft_; }
  const Charter& draft() const { return draft_; }
  uint64_t version() const { return draft_.version; }
  // NOT_FOUND (code "unknown_member") when the draft does not name it. Lives as
  // long as the draft's members stay.
  absl::StatusOr<Member*> Find(const std::string& member);

  // What people should know of the draft's witnesses, a line each
  // (spare_witnesses.h).
  std::vector<std::string> Warnings() const;

  // The draft becomes what `charter`, a signed form, says. INVALID_ARGUMENT
  // names what makes no charter.
  absl::Status Replace(const Json& charter);

  // Writes the draft, whole or not at all, and returns what changed in it, a
  // sentence each; none: the file was not touched. INVALID_ARGUMENT names what
  // makes no charter.
  absl::StatusOr<std::vector<std::string>> Keep();

 private:
  DraftEdit(const CharterFolder& folder,
            std::optional<AcceptedCharter> published, Charter draft)
      : folder_(folder),
        published_(std::move(published)),
        before_(draft),
        draft_(std::move(draft)) {}

  CharterFolder folder_;
  std::optional<AcceptedCharter> published_;
  Charter before_;
  Charter draft_;
};

}  // namespace amparo::committee

#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "broker/core/directory.h"
#include "broker/core/ledger.h"
#include "broker/store/store.h"
#include "crypto/note.h"

namespace amparo::broker {

// Takes charters and suspensions: their signatures are the authority, not who
// brings them. Thread-safe.
class CharterDesk {
 public:
  // All must outlive the desk. Every charter must bear the name and the key of
  // `log`, or nobody could check what the broker signs.
  CharterDesk(Store& store, const Directory& directory, Ledger& ledger,
              NoteVerifier log, const Clock& clock);

  struct Published {
    uint64_t version = 0;
    LeafIndex leaf;
  };
  using PublishedDone = std::function<void(absl::StatusOr<Published>)>;

  // Version 1 needs the founding token (PERMISSION_DENIED without); others the
  // signatures that AcceptNextCharter asks for. The same document again is OK;
  // a second one for a version: ALREADY_EXISTS ("conflict").
  void Publish(std::string document, Bytes founding_token, PublishedDone done);

  // Logs a suspension by two governance keys. The same document again is OK;
  // else what Standings::Suspend refuses.
  using LoggedDone = std::function<void(absl::StatusOr<LeafIndex>)>;
  void Suspend(std::string document, LoggedDone done);

  // The document of `version`; 0 is the newest. NOT_FOUND.
  absl::StatusOr<std::string> Document(uint64_t version) const;

 private:
  absl::Status CheckNext(const Network& network, const std::string& document,
                         uint64_t version, ByteView founding_token) const;
  // The earliest time that the next leaf may bear.
  absl::Time LeafTime() const;

  Store& store_;
  const Directory& directory_;
  Ledger& ledger_;
  const NoteVerifier log_;
  const Clock& clock_;
};

}  // namespace amparo::broker

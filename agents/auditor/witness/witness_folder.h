#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/keys.h"
#include "crypto/note.h"
#include "crypto/tlog_witness.h"

namespace amparo::auditor {

// What a witness keeps, mode 0700:
//   witness.key, .pass  the seed in a keystore, and its generated passphrase
//   witness.vkey        its verifier key, for the charter
//   logs                the logs' verifier keys, one a line, and # comments
//   state/HEX           the newest checkpoint cosigned of each log, by the
//                       SHA-256 of its origin; "none yet" before the first
//   evidence/           pairs of signed checkpoints that accuse a log
// A log without its state file is an error and never a fresh start: a witness
// that forgot could vouch for a second history. One thread at a time; one
// process, by Lock.
class WitnessFolder {
 public:
  explicit WitnessFolder(std::string path) : path_(std::move(path)) {}

  // Makes the folder and a new key under `name`. ALREADY_EXISTS (code
  // "conflict") when there is one, INVALID_ARGUMENT for a name that no note's
  // signer can have.
  absl::StatusOr<NoteVerifier> Create(absl::string_view name) const;

  // NOT_FOUND without a folder of that kind, DATA_LOSS when the key is not the
  // one of witness.vkey.
  absl::StatusOr<NoteVerifier> ReadVerifier() const;
  absl::StatusOr<SigningKey> ReadKey() const;
  // Every log and what is remembered of it. DATA_LOSS (code "tampered") when a
  // state is missing or was not signed by a key of its log.
  absl::StatusOr<WitnessMemory> ReadMemory() const;

  // One more key, of a log known or new. ALREADY_EXISTS for the same again.
  absl::Status AddLog(const NoteVerifier& key) const;
  // `note` takes the place of what was remembered. When OK, it is on disk and
  // outlives a crash.
  absl::Status Remember(const std::string& origin,
                        const std::string& note) const;

  // Two signed notes that accuse a log, as `amparo-audit compare` takes them,
  // and the request that brought the second; true when it is new.
  // RESOURCE_EXHAUSTED when there are kEvidenceOfAKindMax of that fault.
  static constexpr ptrdiff_t kEvidenceOfAKindMax = 32;
  absl::StatusOr<bool> KeepEvidence(LogFault fault, const std::string& remembered,
                            const std::string& shown,
                            absl::string_view request) const;
  std::vector<std::string> Evidence() const;  // paths of the notes

  // Holds the folder for this process until destroyed.
  class Lock {
   public:
    explicit Lock(int fd) : fd_(fd) {}
    Lock(Lock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    Lock& operator=(Lock&&) = delete;
    ~Lock();

   private:
    int fd_;
  };
  // FAILED_PRECONDITION (code "conflict") while another process holds it.
  absl::StatusOr<Lock> TakeLock() const;

 private:
  std::string At(absl::string_view name) const;
  std::string StateOf(absl::string_view origin) const;
  absl::StatusOr<std::vector<NoteVerifier>> ReadLogs() const;

  std::string path_;
};

}  // namespace amparo::auditor

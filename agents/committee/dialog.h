#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/secret.h"

namespace amparo::committee {

// The person at the terminal. One thread at a time.
class Dialog {
 public:
  virtual ~Dialog() = default;

  // Shows a line.
  virtual void Tell(absl::string_view line) = 0;
  // Asks yes or no; everything but a clear yes is no. FAILED_PRECONDITION when
  // nobody is there to ask.
  virtual absl::StatusOr<bool> Confirm(absl::string_view question) = 0;
  // A passphrase, typed unseen; `twice`: a new one, to be repeated.
  virtual absl::StatusOr<SecretBuffer> Passphrase(absl::string_view of_what,
                                                  bool twice) = 0;
};

// Talks on stderr and reads from the controlling terminal, so that stdout
// stays free for results.
class TerminalDialog : public Dialog {
 public:
  void Tell(absl::string_view line) override;
  absl::StatusOr<bool> Confirm(absl::string_view question) override;
  absl::StatusOr<SecretBuffer> Passphrase(absl::string_view of_what,
                                          bool twice) override;
};

}  // namespace amparo::committee

#pragma once

#include "absl/strings/string_view.h"
#include "broker/core/audit_log.h"
#include "broker/core/checkpointer.h"
#include "proto/http/http_port.h"

namespace amparo::broker {

// The part of the log that is for everybody, as HTTP pages (docs/PROTOCOL.md,
// Log over HTTP): /checkpoint, /tile/..., /documents/HEX.json and
// /charter-checkpoints/VERSION; as C2SP tlog-tiles names what it knows. No opening, so nobody who wrote to whom. Thread-safe.
class LogPages {
 public:
  // All must outlive it.
  LogPages(const AuditLog& log, const Checkpointer& checkpointer,
           const WitnessBook& witnesses)
      : log_(log), checkpointer_(checkpointer), witnesses_(witnesses) {}

  // What does not exist, is not spelt as the protocol spells it, or is not
  // under the newest checkpoint yet, is 404.
  HttpAnswer Answer(absl::string_view path) const;

 private:
  absl::StatusOr<HttpAnswer> Page(absl::string_view path) const;
  absl::StatusOr<HttpAnswer> TilePage(absl::string_view path) const;
  absl::StatusOr<HttpAnswer> DocumentPage(absl::string_view path) const;
  absl::StatusOr<HttpAnswer> CharterPage(absl::string_view version) const;

  const AuditLog& log_;
  const Checkpointer& checkpointer_;
  const WitnessBook& witnesses_;
};

}  // namespace amparo::broker

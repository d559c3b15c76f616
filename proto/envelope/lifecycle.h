#pragma once

#include <optional>

#include "absl/status/statusor.h"

namespace amparo {

// What may happen to an envelope at the broker, and in which order. The broker
// refuses by this table, the auditor checks by it.
enum class EnvelopeState {
  kPending,
  kDelivered,
  kUndecryptable,
  kRecalled,
  kExpired
};
enum class EnvelopeEventKind {
  kSubmitted,
  kDelivered,
  kUndecryptable,
  kRecalled,
  kExpired
};

// The state after `event`, from `state` (nullopt: no such envelope yet).
// FAILED_PRECONDITION when the order is not legal.
absl::StatusOr<EnvelopeState> NextState(std::optional<EnvelopeState> state,
                                        EnvelopeEventKind event);

}  // namespace amparo

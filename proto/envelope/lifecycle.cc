#include "proto/envelope/lifecycle.h"

namespace amparo {

absl::StatusOr<EnvelopeState> NextState(std::optional<EnvelopeState> state,
                                        EnvelopeEventKind event) {
  if (!state.has_value()) {
    if (event == EnvelopeEventKind::kSubmitted) return EnvelopeState::kPending;
    return absl::FailedPreconditionError("no such envelope was submitted");
  }
  // Whatever ends an envelope's time in the mailbox ends it for good: no
  // recall after delivery, no receipt after a recall.
  if (*state != EnvelopeState::kPending)
    return absl::FailedPreconditionError("the envelope's course has ended");
  switch (event) {
    case EnvelopeEventKind::kSubmitted:
      return absl::FailedPreconditionError("the envelope was submitted before");
    case EnvelopeEventKind::kDelivered:
      return EnvelopeState::kDelivered;
    case EnvelopeEventKind::kUndecryptable:
      return EnvelopeState::kUndecryptable;
    case EnvelopeEventKind::kRecalled:
      return EnvelopeState::kRecalled;
    case EnvelopeEventKind::kExpired:
      return EnvelopeState::kExpired;
  }
  return absl::InternalError("unknown envelope event");
}

}  // namespace amparo

#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

// The one mapping between absl::Status and what travels over gRPC: codes are
// equal; an ErrorDetail (base/error.h) is google.rpc.ErrorInfo with the error
// code as reason and the domain "amparo" (docs/PROTOCOL.md, Errors).

namespace amparo {

// Every error carries an ErrorInfo. The message of an error without a detail
// may be a dependency's and stays here: one sentence per code crosses instead.
grpc::Status ToGrpc(const absl::Status& status);

// What the other side said, with its detail when the domain is "amparo". Its
// texts are cut to 512 printable characters: they are a stranger's.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace amparo

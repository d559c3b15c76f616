#pragma once

#include <functional>

#include "absl/time/time.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle.h"

namespace amparo::auditor {

// A checkpoint of an institution's access log as it stands in the network's
// log, signed by the key that the institution had at that entry.
struct AccessAnchor {
  LeafIndex leaf;
  absl::Time time;  // of the entry
  Checkpoint checkpoint;
};
// Gets them in leaf order.
using AccessAnchorSink = std::function<void(const AccessAnchor&)>;

}  // namespace amparo::auditor

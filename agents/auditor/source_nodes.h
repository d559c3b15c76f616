#pragma once

#include "agents/auditor/leaf_source.h"
#include "crypto/merkle.h"
#include "crypto/merkle_path.h"

namespace amparo::auditor {

// Nodes of the tree of `size` from the hash tiles of `source`, which must
// outlive it; reads each of the last few tiles once. Nothing is verified: a
// proof made from them is. One thread at a time.
NodeSource NodesOf(LeafSource& source, TreeSize size);

}  // namespace amparo::auditor

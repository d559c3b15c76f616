#pragma once

#include "base/json.h"

namespace amparo {

// One of each document that an institution may have to show to a stranger,
// made by our own code with fresh keys, and what the stranger needs to check
// it: public keys as JWK, types, expected content. Throws when our code refuses
// to make one.
Json EmitDocuments();

}  // namespace amparo

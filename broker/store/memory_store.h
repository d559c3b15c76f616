#pragma once

#include <memory>

#include "broker/store/store.h"

namespace amparo::broker {

// A Store in memory, for tests and trials: gone with the object.
std::unique_ptr<Store> NewMemoryStore();

}  // namespace amparo::broker

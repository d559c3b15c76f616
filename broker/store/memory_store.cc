#include "broker/store/memory_store.h"

namespace amparo::broker {}

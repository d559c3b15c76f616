#include "broker/core/start_guard.h"

namespace amparo::broker {}

#include "broker/core/checkpointer.h"

namespace amparo::broker {}

#include "broker/core/retention.h"

namespace amparo::broker {}

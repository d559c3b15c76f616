#include "broker/core/pacer.h"

namespace amparo::broker {}

#include "broker/core/relay.h"

namespace amparo::broker {}

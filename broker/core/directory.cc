#include "broker/core/directory.h"

namespace amparo::broker {}

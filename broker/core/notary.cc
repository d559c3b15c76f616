#include "broker/core/notary.h"

namespace amparo::broker {}

#include "broker/core/ledger.h"

namespace amparo::broker {}

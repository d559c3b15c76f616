#include "broker/core/audit_log.h"

namespace amparo::broker {}

#include "broker/core/enrolment.h"

namespace amparo::broker {}

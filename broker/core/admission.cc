#include "broker/core/admission.h"

namespace amparo::broker {}

#include "broker/core/charter_desk.h"

namespace amparo::broker {}

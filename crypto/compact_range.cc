#include "crypto/compact_range.h"

#include "crypto/stream.h"

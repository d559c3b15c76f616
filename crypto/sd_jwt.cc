#include "crypto/sd_jwt.h"

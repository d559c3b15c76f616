#include "crypto/jws.h"

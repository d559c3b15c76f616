#include "crypto/hpke.h"

#include "crypto/keystore.h"

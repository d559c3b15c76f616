#include "crypto/checkpoint.h"

#include "crypto/merkle_path.h"

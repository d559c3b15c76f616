#include "crypto/tile.h"

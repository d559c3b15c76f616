#include "proto/network/words.h"

#include "proto/network/charter.h"

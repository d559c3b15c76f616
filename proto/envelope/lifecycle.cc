#include "proto/envelope/lifecycle.h"

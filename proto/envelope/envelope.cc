#include "proto/envelope/envelope.h"

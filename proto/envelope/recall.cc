#include "proto/envelope/recall.h"

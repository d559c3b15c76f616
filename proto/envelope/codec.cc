#include "proto/envelope/codec.h"

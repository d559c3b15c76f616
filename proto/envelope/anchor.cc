#include "proto/envelope/anchor.h"

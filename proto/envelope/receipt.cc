#include "proto/envelope/receipt.h"

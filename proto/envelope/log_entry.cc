#include "proto/envelope/log_entry.h"

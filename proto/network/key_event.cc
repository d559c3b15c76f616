#include "proto/network/key_event.h"

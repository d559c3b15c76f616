#include "proto/network/key_directory.h"

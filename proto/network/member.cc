#include "proto/network/member.h"

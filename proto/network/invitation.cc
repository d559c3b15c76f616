#include "proto/network/invitation.h"

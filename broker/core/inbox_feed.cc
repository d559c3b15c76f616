#include "broker/core/inbox_feed.h"

namespace amparo::broker {}

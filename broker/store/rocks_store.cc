#include "broker/store/rocks_store.h"

namespace amparo::broker {}

#include "broker/core/receipt_book.h"

namespace amparo::broker {}

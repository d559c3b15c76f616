#pragma once

#include "absl/strings/string_view.h"

namespace amparo::broker {

// Tells the service manager ("READY=1", "STOPPING=1"), where there is one:
// systemd's notification protocol, a datagram to $NOTIFY_SOCKET.
void NotifyServiceManager(absl::string_view state);

}  // namespace amparo::broker

#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Addresses of TCP ports, as configuration and files write them.

namespace amparo {

// "host:port", "[v6]:port" in its two parts; INVALID_ARGUMENT otherwise.
struct HostPort {
  std::string host;  // without brackets
  uint16_t port = 0;
};
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);
std::string FormatHostPort(const HostPort& address);

// `address` with the port that the kernel chose, where it left that open (0).
std::string FillPort(const std::string& address, int port);

// Where to listen: `last`, if `address` leaves the port open and the host is
// the same; else `address`.
std::string KeptAddress(const std::string& address, const std::string& last);

}  // namespace amparo

#include "proto/network/host_port.h"

#include <cctype>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace amparo {

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text) {
  const absl::Status bad = absl::InvalidArgumentError("expected host:port");
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return bad;
  absl::string_view host = text.substr(0, colon);
  const absl::string_view digits = text.substr(colon + 1);
  uint32_t port = 0;
  if (digits.empty() || digits.size() > 5 || !absl::SimpleAtoi(digits, &port) ||
      port > 65535 || !std::isdigit(static_cast<unsigned char>(digits[0])))
    return bad;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != absl::string_view::npos) {
    return bad;  // an IPv6 address needs its brackets
  }
  const bool plain =
      host.find_first_of("\"\\/[] \t\n") == absl::string_view::npos;
  if (host.empty() || host.size() > 253 || !plain) return bad;
  return HostPort{std::string(host), static_cast<uint16_t>(port)};
}

std::string FormatHostPort(const HostPort& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return v6 ? absl::StrCat("[", address.host, "]:", address.port)
            : absl::StrCat(address.host, ":", address.port);
}

std::string FillPort(const std::string& address, int port) {
  auto parsed = ParseHostPort(address);
  if (!parsed.ok() || parsed->port != 0) return address;
  parsed->port = static_cast<uint16_t>(port);
  return FormatHostPort(*parsed);
}

std::string KeptAddress(const std::string& address, const std::string& last) {
  const auto wanted = ParseHostPort(address);
  const auto before = ParseHostPort(last);
  if (!wanted.ok() || !before.ok() || wanted->port != 0 ||
      wanted->host != before->host)
    return address;
  return last;
}

}  // namespace amparo

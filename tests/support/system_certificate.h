#pragma once

#include <string>

#include "absl/time/time.h"

namespace amparo {

// A certificate as an IT system's owner makes it with `openssl req -x509`.
struct SystemCertificate {
  std::string key;          // PEM
  std::string certificate;  // PEM, signed by its own key
};

struct SystemCertificateOptions {
  std::string name = "records";
  // "P-256", "P-384", "P-521", "ED25519", "RSA-1024", "RSA-2048", ...
  std::string key = "P-256";
  std::string extended_usage = "";  // "serverAuth", ...; empty: none
  absl::Time from = absl::UnixEpoch();
  absl::Time until = absl::FromUnixSeconds(4000000000);
};
SystemCertificate MakeSystemCertificate(
    const SystemCertificateOptions& options = {});

// What a thief of the certificate can make without its key: a key whose public
// half is the certificate's (P-256), and whose private half is another's.
std::string KeyOfAThief(const std::string& certificate);

}  // namespace amparo

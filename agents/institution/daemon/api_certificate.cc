#include "agents/institution/daemon/api_certificate.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/status.h"
#include "proto/network/host_port.h"

namespace amparo::agent {
namespace {

constexpr char kKeyRow[] = "api-ca/key";
constexpr char kCertificateRow[] = "api-ca/certificate";
constexpr absl::Duration kCaLife = absl::Hours(24 * 365 * 20);
// Longer than any agent runs without a restart.
constexpr absl::Duration kLife = absl::Hours(24 * 825);
// For a client whose clock is a little behind.
constexpr absl::Duration kEarlier = absl::Hours(1);

absl::StatusOr<TlsKeyPair> MakeAndKeepCa(const AgentConfig& config,
                                         KeyValue& kv, absl::Time now) {
  ASSIGN_OR_RETURN(TlsKeyPair ca,
                   MakeCa(config.member.text(), now - kEarlier, now + kCaLife));
  Batch batch;
  batch.Put(kKeyRow, ca.private_key_pem.Expose());
  batch.Put(kCertificateRow, AsBytes(ca.certificate_pem));
  RETURN_IF_ERROR(kv.Write(batch));
  return ca;
}

absl::StatusOr<TlsKeyPair> TakeCa(const AgentConfig& config, KeyValue& kv,
                                  absl::Time now) {
  auto key = kv.Get(kKeyRow);
  if (absl::IsNotFound(key.status())) return MakeAndKeepCa(config, kv, now);
  RETURN_IF_ERROR(key.status());
  ASSIGN_OR_RETURN(const Bytes certificate, kv.Get(kCertificateRow));
  TlsKeyPair ca{SecretBuffer::CopyOf(*key), ToText(certificate)};
  Wipe(*key);
  return ca;
}

std::vector<std::string> NamesOf(const AgentConfig& config) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    const bool is_every_address = name == "0.0.0.0" || name == "::";
    if (!is_every_address && CheckHost(name).ok() &&
        std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  };
  if (const auto address = ParseHostPort(config.tls_listen); address.ok())
    add(address->host);
  for (const std::string& name : config.tls_names) add(name);
  std::array<char, 256> machine = {};
  if (gethostname(machine.data(), machine.size() - 1) == 0) add(machine.data());
  for (const char* name : {"localhost", "127.0.0.1", "::1"}) add(name);
  return names;
}

}  // namespace

absl::StatusOr<ApiCertificate> MakeApiCertificate(const AgentConfig& config,
                                                  KeyValue& kv,
                                                  const Clock& clock) {
  const absl::Time now = clock.Now();
  ASSIGN_OR_RETURN(const TlsKeyPair ca, TakeCa(config, kv, now));
  ASSIGN_OR_RETURN(const absl::Time ca_end, CertificateEnd(ca.certificate_pem));
  ASSIGN_OR_RETURN(TlsKeyPair identity,
                   IssueServerCertificate(ca, NamesOf(config), now - kEarlier,
                                          std::min(now + kLife, ca_end)));
  return ApiCertificate{ca.certificate_pem, std::move(identity)};
}

}  // namespace amparo::agent

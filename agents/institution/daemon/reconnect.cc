#include "agents/institution/daemon/reconnect.h"

#include <utility>

#include "base/files.h"
#include "base/status.h"
#include "proto/grpc/entrance.h"

namespace amparo::agent {

absl::Status Reconnect(const DataDir& data, absl::string_view invitation,
                       const Clock& clock) {
  ASSIGN_OR_RETURN(const AgentConfig config, data.ReadConfig());
  ASSIGN_OR_RETURN(NetworkFile network, data.ReadNetwork());
  ASSIGN_OR_RETURN(const std::string first,
                   ReadFile(data.Path("charter-1.json"), kCharterBytesMax));
  ASSIGN_OR_RETURN(const AgentSecrets secrets, data.Unlock(config));
  ASSIGN_OR_RETURN(
      Return back,
      ReturnToNetwork(
          invitation,
          {config.network, config.member, Sha256(first), network.ca_number},
          {secrets.tls_key_pem.Copy(), ""}, secrets.identity, secrets.witness,
          clock.Now()));
  network.ca_der = std::move(back.ca.ca_der);
  network.next_ca_der = std::move(back.ca.next_ca_der);
  network.ca_number = back.ca.number;
  network.members = back.members_address;
  network.enrol = back.enrol_address;
  RETURN_IF_ERROR(WriteFile(data.Path("network.json"),
                            FormatNetworkFile(network), FileMode::kPublic));
  return WriteFile(data.Path("certificate.pem"), back.certificate_pem,
                   FileMode::kPrivate);
}

}  // namespace amparo::agent

#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

// TLS 1.3 with certificates of the network's own CA, and the settings that both
// ends of a connection must agree on.

namespace amparo {

// Leaves TLS 1.2 without a usable suite: this gRPC has no option for a minimum
// version. Call at the start of main, before gRPC starts and before another
// thread runs. FAILED_PRECONDITION when the environment cannot be set.
absl::Status AllowOnlyTls13();

// Paths of PEM files; gRPC watches them: a new certificate counts for new
// connections within seconds, open ones live on.
struct ServerTlsFiles {
  std::string key;
  std::string certificate;
  std::string client_ca;  // empty: clients are not asked for a certificate
};
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(
    const ServerTlsFiles& files);

// For a Unix socket that only its owner can reach: nothing is encrypted.
std::shared_ptr<grpc::ServerCredentials> LocalCredentials();

// PEM texts. `key` and `certificate` empty: no client certificate.
struct ClientTls {
  std::string server_ca;
  std::string key;
  std::string certificate;
};
std::shared_ptr<grpc::ChannelCredentials> MakeClientCredentials(
    const ClientTls& tls);

// Whether these can make a connection at all: INVALID_ARGUMENT whose detail names
// the wrong one as field ("ca", "cert", "key"). Of a key and a certificate that
// are both there.
absl::Status CheckClientTls(const ClientTls& tls);
// When the client's certificate ends; nullopt when it cannot be read.
std::optional<absl::Time> EndOfClientCertificate(const ClientTls& tls);

// How often an idle client says that it is there. A server takes pings half as
// far apart, so that no client is sent away for "too_many_pings".
inline constexpr absl::Duration kKeepaliveDefault = absl::Seconds(20);
inline constexpr absl::Duration kKeepaliveMin = absl::Seconds(10);

// How long a client may take to finish TLS.
inline constexpr absl::Duration kHandshakeMax = absl::Seconds(20);

// Keepalive, time for a handshake; `message_bytes_max` is for what the server
// receives.
void SetServerLimits(grpc::ServerBuilder& builder, int message_bytes_max,
                     absl::Duration handshake = kHandshakeMax);

// A channel to `address` (host:port) of its own: connections are not shared
// with other channels. `keepalive` is raised to kKeepaliveMin.
std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    int message_bytes_max, absl::Duration keepalive = kKeepaliveDefault);

}  // namespace amparo

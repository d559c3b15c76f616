#include "proto/grpc/credentials.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "crypto/client_certificate.h"
#include "crypto/x509.h"

namespace amparo {
namespace {

// A TLS 1.2 suite that an ECDSA certificate cannot use; TLS 1.3 suites are not
// governed by this setting.
constexpr char kUnusableSuite[] = "ECDHE-RSA-AES256-GCM-SHA384";
constexpr unsigned kWatchFilesEvery_s = 1;
constexpr absl::Duration kReconnectFirst = absl::Milliseconds(200);
constexpr absl::Duration kReconnectMax = absl::Seconds(2);
constexpr absl::Duration kPingAnswerMax = absl::Seconds(10);

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

}  // namespace

absl::Status AllowOnlyTls13() {
  constexpr char kName[] = "GRPC_SSL_CIPHER_SUITES";
  // Another thread may be reading it: written once.
  const char* before = std::getenv(kName);
  if (before != nullptr && absl::string_view(before) == kUnusableSuite)
    return absl::OkStatus();
  if (setenv(kName, kUnusableSuite, 1) != 0)
    return absl::FailedPreconditionError("cannot set the TLS cipher suites");
  return absl::OkStatus();
}

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(
    const ServerTlsFiles& files) {
  using grpc::experimental::FileWatcherCertificateProvider;
  const bool mutual = !files.client_ca.empty();
  const auto provider =
      mutual ? std::make_shared<FileWatcherCertificateProvider>(
                   files.key, files.certificate, files.client_ca,
                   kWatchFilesEvery_s)
             : std::make_shared<FileWatcherCertificateProvider>(
                   files.key, files.certificate, kWatchFilesEvery_s);
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  if (mutual) options.watch_root_certs();
  options.set_cert_request_type(
      mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
             : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ServerCredentials> LocalCredentials() {
  return grpc::InsecureServerCredentials();
}

std::shared_ptr<grpc::ChannelCredentials> MakeClientCredentials(
    const ClientTls& tls) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = tls.server_ca;
  options.pem_private_key = tls.key;
  options.pem_cert_chain = tls.certificate;
  return grpc::SslCredentials(options);
}

absl::Status CheckClientTls(const ClientTls& tls) {
  const auto wrong = [](const char* field, const char* message) {
    return MakeError(absl::StatusCode::kInvalidArgument, message,
                     {.code = "config", .field = field});
  };
  if (!CertificateEnd(tls.server_ca).ok())
    return wrong("ca", "the file of ca holds no certificate");
  if (!CertificateEnd(tls.certificate).ok())
    return wrong("cert", "the file of cert holds no certificate");
  const absl::Status fits = CheckKeyOfCertificate(tls.key, tls.certificate);
  if (absl::IsPermissionDenied(fits))
    return wrong("key", "the private key is not the one of the certificate");
  return fits.ok() ? fits : wrong("key", "the file of key holds no private key");
}

std::optional<absl::Time> EndOfClientCertificate(const ClientTls& tls) {
  const auto end = CertificateEnd(tls.certificate);
  if (!end.ok()) return std::nullopt;
  return *end;
}

void SetServerLimits(grpc::ServerBuilder& builder, int message_bytes_max,
                     absl::Duration handshake) {
  builder.SetMaxReceiveMessageSize(message_bytes_max);
  builder.AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
      Milliseconds(kKeepaliveMin / 2));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS,
                             Milliseconds(absl::Seconds(30)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             Milliseconds(kPingAnswerMax));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             Milliseconds(handshake));
  // Two servers must not share a port by accident: the second one fails.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& address,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    int message_bytes_max, absl::Duration keepalive) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(message_bytes_max);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                   Milliseconds(std::max(keepalive, kKeepaliveMin)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(kPingAnswerMax));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // The callers have their own pace of trying again; the channel's (up to two
  // minutes) must not come on top of it.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, Milliseconds(kReconnectFirst));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, Milliseconds(kReconnectMax));
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

}  // namespace amparo

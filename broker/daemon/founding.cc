#include "broker/daemon/founding.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "broker/core/directory.h"
#include "broker/core/enrolment.h"
#include "broker/store/rocks_store.h"
#include "proto/network/member.h"

namespace amparo::broker {
namespace {

constexpr absl::Duration kCaLife = absl::Hours(24 * 3653);
constexpr absl::Duration kServerCertificateLife = absl::Hours(24 * 398);
// Certificates begin before now: who is a day behind still connects, and is
// told so.
constexpr absl::Duration kClockSlack = absl::Hours(48);

absl::Status CheckEmpty(const DataDir& data) {
  std::error_code error;
  const bool empty = !std::filesystem::exists(data.path(), error) ||
                     std::filesystem::is_empty(data.path(), error);
  if (!error && empty) return absl::OkStatus();
  return MakeError(absl::StatusCode::kAlreadyExists,
                   absl::StrCat(data.path(), " is not empty"),
                   {.code = "conflict",
                    .field = "--data",
                    .expected = "a directory that is empty or does not exist",
                    .hint = "one data directory is one network"});
}

// Secret text that is wiped when it was written.
absl::Status CreateSecretFile(const std::string& path,
                              const SecretBuffer& content) {
  return CreateFile(path, AsText(content.Expose()), FileMode::kPrivate);
}

}  // namespace

absl::Status CreateLogKey(const std::string& path, absl::string_view network,
                          const SigningKey& key) {
  std::string seed = ToBase64Url(key.seed().Expose());
  std::string text = absl::StrCat(
      "# Log key of the network ", network,
      ": signs its checkpoints and receipts.\n"
      "# Whoever has it can sign in the log's name. Mode 0600; keep a copy "
      "apart.\n",
      seed, "\n");
  const absl::Status status = CreateFile(path, text, FileMode::kPrivate);
  for (std::string* secret : {&seed, &text})
    Wipe({reinterpret_cast<uint8_t*>(secret->data()), secret->size()});
  return status;
}

namespace {

// Hosts that a server certificate must name, without wildcards.
std::vector<std::string> HostsOf(const BrokerConfig::Ports& listen,
                                 const BrokerConfig::Ports& announced) {
  std::vector<std::string> hosts;
  for (const std::string* text :
       {&announced.members, &announced.enrol, &listen.members, &listen.enrol}) {
    const auto address = ParseHostPort(*text);
    if (!address.ok() || address->host == "0.0.0.0" || address->host == "::")
      continue;
    if (std::find(hosts.begin(), hosts.end(), address->host) == hosts.end())
      hosts.push_back(address->host);
  }
  return hosts;
}

absl::StatusOr<TlsKeyPair> IssueServer(const TlsKeyPair& ca,
                                       const BrokerConfig::Ports& listen,
                                       const BrokerConfig::Ports& announced,
                                       absl::Time now) {
  return IssueServerCertificate(ca, HostsOf(listen, announced),
                                now - kClockSlack,
                                now + kServerCertificateLife);
}

// Opens the store for the first time; it keeps only the token's hash.
absl::StatusOr<Bytes> MakeFoundingToken(const DataDir& data,
                                        const Clock& clock) {
  ASSIGN_OR_RETURN(const auto store, OpenRocksStore(data.store()));
  ASSIGN_OR_RETURN(const auto directory, Directory::Load(*store));
  return Enrolment(*store, *directory, clock).MakeFoundingToken();
}

}  // namespace

absl::StatusOr<NetworkFile> Found(const DataDir& data, const Founding& founding,
                                  const Clock& clock) {
  if (!NetworkName::Parse(founding.network).ok())
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the network's name is not valid",
                     {.code = "usage",
                      .field = "--name",
                      .expected = "[a-z][a-z0-9-]{0,31}"});
  const std::string config =
      WriteBrokerConfig(founding.network, founding.listen, founding.announced);
  RETURN_IF_ERROR(ParseBrokerConfig(config, "broker.toml").status());
  RETURN_IF_ERROR(CheckEmpty(data));
  RETURN_IF_ERROR(MakeDirectory(data.path(), FileMode::kPrivate));

  const absl::Time now = clock.Now();
  ASSIGN_OR_RETURN(const TlsKeyPair ca, MakeNetworkCa(founding.network, clock));
  RETURN_IF_ERROR(CreateSecretFile(data.ca().key, ca.private_key_pem));
  RETURN_IF_ERROR(
      CreateFile(data.ca().certificate, ca.certificate_pem, FileMode::kPublic));
  ASSIGN_OR_RETURN(const TlsKeyPair server,
                   IssueServer(ca, founding.listen, founding.announced, now));
  RETURN_IF_ERROR(CreateSecretFile(data.server_key(), server.private_key_pem));
  RETURN_IF_ERROR(CreateFile(data.server_certificate(), server.certificate_pem,
                             FileMode::kPublic));
  const SigningKey log_key = SigningKey::Generate();
  RETURN_IF_ERROR(CreateLogKey(data.log_key(), founding.network, log_key));
  ASSIGN_OR_RETURN(NoteVerifier verifier,
                   NoteVerifier::Create(founding.network, NoteKeyType::kEd25519,
                                        log_key.verify_key()));
  ASSIGN_OR_RETURN(Bytes ca_der, CertificateDer(ca.certificate_pem));
  ASSIGN_OR_RETURN(Bytes token, MakeFoundingToken(data, clock));
  NetworkFile network{founding.network,
                      std::move(verifier),
                      std::move(ca_der),
                      founding.announced.members,
                      founding.announced.enrol,
                      std::move(token),
                      std::nullopt,
                      1};
  RETURN_IF_ERROR(CreateFile(data.network_file(), FormatNetworkFile(network),
                             FileMode::kPrivate));
  // Last: a directory without it was not founded to the end.
  RETURN_IF_ERROR(CreateFile(data.config(), config, FileMode::kPrivate));
  return network;
}

absl::StatusOr<TlsKeyPair> MakeNetworkCa(const std::string& network,
                                         const Clock& clock) {
  const absl::Time now = clock.Now();
  return MakeCa(network, now - kClockSlack, now + kCaLife);
}

absl::Status RenewServerCertificate(const DataDir& data,
                                    const BrokerConfig& config,
                                    const Clock& clock) {
  ASSIGN_OR_RETURN(const NetworkFile network, data.ReadNetworkFile());
  ASSIGN_OR_RETURN(const DataDir::Cas cas, data.ReadCas(network));
  ASSIGN_OR_RETURN(
      const TlsKeyPair server,
      IssueServer(cas.current, config.listen, config.announced, clock.Now()));
  RETURN_IF_ERROR(WriteFile(data.server_key(),
                            AsText(server.private_key_pem.Expose()),
                            FileMode::kPrivate));
  return WriteFile(data.server_certificate(), server.certificate_pem,
                   FileMode::kPublic);
}

absl::Status KeepNetworkFile(const DataDir& data,
                             const BrokerConfig::Ports& addresses) {
  ASSIGN_OR_RETURN(NetworkFile file, data.ReadNetworkFile());
  if (file.members == addresses.members && file.enrol == addresses.enrol)
    return absl::OkStatus();
  file.members = addresses.members;
  file.enrol = addresses.enrol;
  return WriteFile(data.network_file(), FormatNetworkFile(file),
                   FileMode::kPrivate);
}

}  // namespace amparo::broker

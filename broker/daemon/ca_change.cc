#include "broker/daemon/ca_change.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "broker/daemon/founding.h"
#include "proto/network/ca_note.h"

namespace amparo::broker {
namespace {

std::string Name(const Digest& sha256) { return sha256.ToString(); }

Answer NewCaAnswer(const Digest& sha256) {
  return {
      {{"schema", "broker_new_ca/1"}, {"ca", Name(sha256)}},
      absl::StrCat(
          "next ca         ", Name(sha256), "\n",
          "next: wait until every member's agent has followed; it does so\n",
          "      within a minute where it runs,\n",
          "      amparo-broker switch-ca --data DIR\n")};
}

// `behind`: nullopt where nobody can say.
Answer SwitchCaAnswer(const Digest& sha256,
                      const std::optional<std::vector<std::string>>& behind) {
  const std::vector<std::string> known =
      behind.value_or(std::vector<std::string>());
  Json json{{"schema", "broker_switch_ca/1"},
            {"ca", Name(sha256)},
            {"behind", known},
            {"behind_known", behind.has_value()}};
  std::string text = absl::StrCat("ca              ", Name(sha256), "\n");
  if (!behind.has_value())
    absl::StrAppend(&text,
                    "shut out        not known: a stopped broker cannot ",
                    "say who has followed\n");
  else if (!known.empty())
    absl::StrAppend(&text, "shut out        ", absl::StrJoin(known, " "), "\n");
  if (!behind.has_value() || !known.empty())
    absl::StrAppend(&text,
                    "next: amparo-broker invite MEMBER, for each; there\n",
                    "      amparo-agent reconnect INVITATION --data DIR,\n",
                    "      an auditor: amparo-audit reconnect INVITATION ",
                    "--profile DIR\n");
  absl::StrAppend(&text, "network.json changed: hand it out anew to whoever ",
                  "has a copy\n");
  return {std::move(json), std::move(text)};
}

// A broker that was put back would count from an older number than members saw,
// and they refuse such a note: so the number is a time.
uint64_t NextNumber(const NetworkFile& network, const Clock& clock) {
  const int64_t now = std::max<int64_t>(UnixSeconds(clock.Now()), 2);
  return std::max(network.ca_number + 1, static_cast<uint64_t>(now));
}

}  // namespace

absl::Status WriteTrustedCas(const DataDir& data, const NetworkFile& network) {
  ASSIGN_OR_RETURN(const std::string bundle,
                   CaBundle(network.ca_der, network.next_ca_der));
  return WriteFile(data.trusted_cas(), bundle, FileMode::kPublic);
}

absl::StatusOr<NetworkFile> MakeNextCa(const DataDir& data,
                                       const Clock& clock) {
  ASSIGN_OR_RETURN(NetworkFile network, data.ReadNetworkFile());
  if (network.next_ca_der.has_value())
    return MakeError(absl::StatusCode::kAlreadyExists,
                     "the network's ca is changing already",
                     {.code = "conflict",
                      .field = "--data",
                      .hint = "amparo-broker switch-ca --data DIR"});
  ASSIGN_OR_RETURN(const TlsKeyPair ca, MakeNetworkCa(network.network, clock));
  // In the files that the present one is not in: what lies there is of one that
  // nobody names any more.
  ASSIGN_OR_RETURN(const DataDir::CaFiles files, data.FilesForNextCa(network));
  RETURN_IF_ERROR(WriteFile(files.key, AsText(ca.private_key_pem.Expose()),
                            FileMode::kPrivate));
  RETURN_IF_ERROR(
      WriteFile(files.certificate, ca.certificate_pem, FileMode::kPublic));
  ASSIGN_OR_RETURN(network.next_ca_der, CertificateDer(ca.certificate_pem));
  network.ca_number = NextNumber(network, clock);
  RETURN_IF_ERROR(WriteFile(data.network_file(), FormatNetworkFile(network),
                            FileMode::kPrivate));
  return network;
}

absl::StatusOr<NetworkFile> SwitchToNextCa(const DataDir& data,
                                           const Clock& clock) {
  ASSIGN_OR_RETURN(NetworkFile network, data.ReadNetworkFile());
  if (!network.next_ca_der.has_value())
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "there is no ca to switch to",
                     {.code = "invalid_state",
                      .field = "--data",
                      .hint = "amparo-broker new-ca --data DIR"});
  network.ca_der = *std::move(network.next_ca_der);
  network.next_ca_der.reset();
  network.ca_number = NextNumber(network, clock);
  RETURN_IF_ERROR(WriteFile(data.network_file(), FormatNetworkFile(network),
                            FileMode::kPrivate));
  return network;
}

absl::StatusOr<Answer> NewCa(const DataDir& data, const Clock& clock) {
  ASSIGN_OR_RETURN(const std::unique_ptr<AdminClient> running,
                   FindRunning(data));
  if (running != nullptr) {
    ASSIGN_OR_RETURN(const v1::NewCaResponse response, running->NewCa());
    ASSIGN_OR_RETURN(const Digest sha256,
                     Digest::FromBytes(AsBytes(response.sha256())));
    return NewCaAnswer(sha256);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> stopped, OpenStopped(data));
  ASSIGN_OR_RETURN(const NetworkFile network, MakeNextCa(data, clock));
  return NewCaAnswer(Sha256(*network.next_ca_der));
}

absl::StatusOr<Answer> SwitchCa(const DataDir& data, bool at_once,
                                const Clock& clock) {
  ASSIGN_OR_RETURN(const std::unique_ptr<AdminClient> running,
                   FindRunning(data));
  if (running != nullptr) {
    ASSIGN_OR_RETURN(const v1::SwitchCaResponse response,
                     running->SwitchCa(at_once));
    ASSIGN_OR_RETURN(const Digest sha256,
                     Digest::FromBytes(AsBytes(response.sha256())));
    return SwitchCaAnswer(sha256,
                          std::vector<std::string>(response.behind().begin(),
                                                   response.behind().end()));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> stopped, OpenStopped(data));
  if (!at_once)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "a stopped broker cannot say which members have followed",
                     {.code = "invalid_state",
                      .field = "--data",
                      .hint = "run it; --at-once if the old ca was stolen"});
  ASSIGN_OR_RETURN(const NetworkFile network, SwitchToNextCa(data, clock));
  return SwitchCaAnswer(Sha256(network.ca_der), std::nullopt);
}

}  // namespace amparo::broker

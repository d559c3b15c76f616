#include "agents/institution/daemon/join.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/storage/sealed_kv.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/files.h"
#include "base/kv/rocks_kv.h"
#include "base/status.h"
#include "crypto/random.h"
#include "crypto/x509.h"
#include "proto/grpc/enrolment_client.h"
#include "proto/network/invitation.h"
#include "proto/network/words.h"

namespace amparo::agent {
namespace {

constexpr char kKeyFile[] = "keystore.pass";
constexpr char kSocket[] = "agent.sock";
constexpr absl::Duration kClockSkewMax = absl::Minutes(5);

absl::Status CheckClock(const EnrolmentClient::Network& network, const Clock& clock) {
  const absl::Duration skew = absl::AbsDuration(network.broker_time - clock.Now());
  if (skew <= kClockSkewMax) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   absl::StrCat("this machine's clock is ", absl::ToInt64Minutes(skew),
                                " minutes away from the broker's"),
                   {.code = "config", .hint = "set the clock, then join again"});
}

// A generated passphrase where no person types one.
absl::StatusOr<SecretBuffer> MakePassphrase(const DataDir& data, Unlock unlock) {
  if (unlock == Unlock::kPrompt) return AskNewPassphrase();
  const SecretKeyBytes random = SecretKeyBytes::Random(32);
  SecretBuffer passphrase = SecretBuffer::CopyOf(ToBase64Url(random.Expose()));
  RETURN_IF_ERROR(CreateFile(data.Path(kKeyFile), AsText(passphrase.Expose()),
                             FileMode::kPrivate));
  return passphrase;
}

// This agent's secrets: made now, or those of a join that was cut off.
absl::StatusOr<AgentSecrets> PrepareSecrets(const DataDir& data, Unlock unlock) {
  if (FileExists(data.Path("keystore.json"))) {
    ASSIGN_OR_RETURN(const AgentConfig config,
                     ParseAgentConfig(*ReadFile(data.Path("agent.toml"), 1 << 20),
                                      "agent.toml"));
    return data.Unlock(config);
  }
  ASSIGN_OR_RETURN(const SecretBuffer passphrase, MakePassphrase(data, unlock));
  ASSIGN_OR_RETURN(AgentSecrets secrets, AgentSecrets::Make());
  // A generated passphrase has 256 bits: a dear key derivation adds nothing.
  const KeystoreCost cost = unlock == Unlock::kPrompt ? KeystoreCost::kModerate
                                                      : KeystoreCost::kInteractive;
  ASSIGN_OR_RETURN(const std::string file, SealSecrets(secrets, passphrase, cost));
  RETURN_IF_ERROR(CreateFile(data.Path("keystore.json"), file, FileMode::kPrivate));
  return secrets;
}

// The first officer: whoever runs join manages this agent.
absl::Status AddAdmin(const DataDir& data, const AgentSecrets& secrets,
                      const Clock& clock) {
  ASSIGN_OR_RETURN(const auto disk, RocksKv::Open(data.Path("store")));
  SealedKv kv(*disk, secrets.vault_key.Copy());
  ASSIGN_OR_RETURN(const auto officers, OfficerBook::Open(kv, clock));
  if (!officers->List().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Handle handle, Handle::Parse("admin"));
  return officers->Add(handle, {Role::kAdmin}, {static_cast<uint32_t>(getuid())},
                       std::nullopt)
      .status();
}

}  // namespace

absl::StatusOr<Joined> Join(const DataDir& data, const JoinOptions& options,
                            const Clock& clock) {
  if (data.HasJoined())
    return MakeError(absl::StatusCode::kAlreadyExists,
                     "this directory holds an agent that joined already",
                     {.code = "conflict", .hint = "amparo-agent run --data DIR"});
  ASSIGN_OR_RETURN(
      const Invitation invitation,
      ParseInvitation(absl::StripAsciiWhitespace(options.invitation)));
  if (clock.Now() >= invitation.until)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     absl::StrCat("the invitation ended at ",
                                  FormatUtc(invitation.until)),
                     {.code = "invitation_expired",
                      .hint = "ask the broker's operator for a new one"});
  ASSIGN_OR_RETURN(const EnrolmentClient broker,
                   EnrolmentClient::Connect(invitation.enrol, invitation.ca_der));
  ASSIGN_OR_RETURN(const EnrolmentClient::Network network, broker.GetNetwork());
  RETURN_IF_ERROR(CheckClock(network, clock));
  ASSIGN_OR_RETURN(const AcceptedCharter charter,
                   broker.GetCharterChain(invitation.root));
  ASSIGN_OR_RETURN(const std::string first_charter, broker.GetCharter(1));
  if (charter.charter.Find(invitation.member) == nullptr)
    return MakeError(absl::StatusCode::kNotFound,
                     "the charter does not name this member",
                     {.code = "unknown_member"});
  const std::string words = NetworkWords(charter.network_id);
  if (!options.words_confirmed && !options.confirm_words(words))
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "the network's words were not confirmed",
                     {.code = "wrong_pin", .hint = "they stand in the paper protocol"});
  if (charter.charter.log_keys.empty())
    return absl::InvalidArgumentError("the charter names no log key");

  RETURN_IF_ERROR(MakeDirectory(data.Path(""), FileMode::kPrivate));
  const std::string config = WriteAgentConfig(
      {.member = invitation.member,
       .network = charter.charter.network,
       .broker_address = network.members_address,
       .api_socket = kSocket,
       .unlock = options.unlock,
       .key_file = options.unlock == Unlock::kKeyFile ? kKeyFile : ""});
  if (!FileExists(data.Path("agent.toml")))
    RETURN_IF_ERROR(CreateFile(data.Path("agent.toml"), config, FileMode::kPrivate));
  ASSIGN_OR_RETURN(const AgentSecrets secrets, PrepareSecrets(data, options.unlock));
  RETURN_IF_ERROR(
      WriteFile(data.Path("charter-1.json"), first_charter, FileMode::kPublic));
  RETURN_IF_ERROR(WriteFile(
      data.Path("network.json"),
      FormatNetworkFile({.network = charter.charter.network,
                         .log_key = charter.charter.log_keys.front(),
                         .ca_der = invitation.ca_der,
                         .members = network.members_address,
                         .enrol = invitation.enrol,
                         .founding_token = std::nullopt}),
      FileMode::kPublic));
  RETURN_IF_ERROR(AddAdmin(data, secrets, clock));

  const TlsKeyPair tls{secrets.tls_key_pem.Copy(), ""};
  ASSIGN_OR_RETURN(const std::string csr,
                   MakeCsr(tls, charter.charter.network, invitation.member.text()));
  const std::string request =
      SignJoinRequest(JoinRequest{.net = charter.network_id,
                                  .member = invitation.member,
                                  .identity_key = secrets.identity.verify_key(),
                                  .witness_key = secrets.witness.verify_key(),
                                  .at = TimeFromUnix(UnixSeconds(clock.Now()))},
                      secrets.identity);
  ASSIGN_OR_RETURN(const EnrolmentClient::Joined joined,
                   broker.Join(invitation, csr, request));
  // Last: with the certificate the agent has joined.
  RETURN_IF_ERROR(WriteFile(data.Path("certificate.pem"), joined.certificate_pem,
                            FileMode::kPublic));
  return Joined{invitation.member, charter.charter.network, words,
                RequestWords(secrets.identity.verify_key(),
                             secrets.witness.verify_key())};
}

}  // namespace amparo::agent

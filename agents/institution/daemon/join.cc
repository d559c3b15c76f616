#include "agents/institution/daemon/join.h"

#include <unistd.h>

#include <utility>

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
#include "proto/grpc/entrance.h"
#include "proto/network/words.h"

namespace amparo::agent {
namespace {

constexpr char kKeyFile[] = "keystore.pass";
constexpr char kSocket[] = "agent.sock";

// Before the invitation is used up: it would be, by a program of another kind.
absl::Status CheckKind(const AcceptedCharter& charter, const MemberId& member) {
  if (HasMailbox(charter.charter.Find(member)->kind)) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "this invitation is for an auditor, who has no agent",
                   {.code = "invalid_invitation",
                    .hint = "auditors join with amparo-audit join; it was not "
                            "used up"});
}

// A generated passphrase where no person types one.
absl::StatusOr<SecretBuffer> MakePassphrase(const DataDir& data,
                                            Unlock unlock) {
  if (unlock == Unlock::kPrompt) 
    return AskNewPassphrase("let one be made: --unlock key_file");
  const SecretKeyBytes random = SecretKeyBytes::Random(32);
  SecretBuffer passphrase = SecretBuffer::CopyOf(ToBase64Url(random.Expose()));
  RETURN_IF_ERROR(CreateFile(data.Path(kKeyFile), AsText(passphrase.Expose()),
                             FileMode::kPrivate));
  return passphrase;
}

// This agent's secrets: made now, or those of a join that was cut off.
absl::StatusOr<AgentSecrets> PrepareSecrets(const DataDir& data,
                                            Unlock unlock) {
  if (FileExists(data.Path("keystore.json"))) {
    ASSIGN_OR_RETURN(
        const AgentConfig config,
        ParseAgentConfig(*ReadFile(data.Path("agent.toml"), 1 << 20),
                         "agent.toml"));
    return data.Unlock(config);
  }
  ASSIGN_OR_RETURN(const SecretBuffer passphrase, MakePassphrase(data, unlock));
  ASSIGN_OR_RETURN(AgentSecrets secrets, AgentSecrets::Make());
  // A generated passphrase has 256 bits: a dear key derivation adds nothing.
  const KeystoreCost cost = unlock == Unlock::kPrompt
                                ? KeystoreCost::kModerate
                                : KeystoreCost::kInteractive;
  ASSIGN_OR_RETURN(const std::string file,
                   SealSecrets(secrets, passphrase, cost));
  RETURN_IF_ERROR(
      CreateFile(data.Path("keystore.json"), file, FileMode::kPrivate));
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
  return officers
      ->Add(handle, {Role::kAdmin}, {static_cast<uint32_t>(getuid())},
            std::nullopt)
      .status();
}

}  // namespace

absl::StatusOr<Joined> Join(const DataDir& data, const JoinOptions& options,
                            const Clock& clock) {
  if (data.HasJoined())
    return MakeError(
        absl::StatusCode::kAlreadyExists,
        "this directory holds an agent that joined already",
        {.code = "conflict", .hint = "amparo-agent run --data DIR"});
  ASSIGN_OR_RETURN(const Entrance entrance,
                   EnterNetwork(options.invitation, clock.Now()));
  const Invitation& invitation = entrance.invitation;
  const EnrolmentClient::Network& network = entrance.network;
  const AcceptedCharter& charter = entrance.charter;
  RETURN_IF_ERROR(CheckKind(charter, invitation.member));
  const std::string words = NetworkWords(charter.network_id);
  if (!options.words_confirmed && !options.confirm_words(words))
    return WordsDiffer();
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
    RETURN_IF_ERROR(
        CreateFile(data.Path("agent.toml"), config, FileMode::kPrivate));
  ASSIGN_OR_RETURN(const AgentSecrets secrets,
                   PrepareSecrets(data, options.unlock));
  RETURN_IF_ERROR(WriteFile(data.Path("charter-1.json"), entrance.first_charter,
                            FileMode::kPublic));
  RETURN_IF_ERROR(
      WriteFile(data.Path("network.json"),
                FormatNetworkFile({.network = charter.charter.network,
                                   .log_key = charter.charter.log_keys.front(),
                                   .ca_der = entrance.ca.ca_der,
                                   .members = network.members_address,
                                   .enrol = invitation.enrol,
                                   .founding_token = std::nullopt,
                                   .next_ca_der = entrance.ca.next_ca_der,
                                   .ca_number = entrance.ca.number}),
                FileMode::kPublic));
  RETURN_IF_ERROR(AddAdmin(data, secrets, clock));

  ASSIGN_OR_RETURN(const EnrolmentClient::Joined joined,
                   AskIn(entrance, {secrets.tls_key_pem.Copy(), ""},
                         secrets.identity, secrets.witness, clock.Now()));
  // Last: with the certificate the agent has joined.
  RETURN_IF_ERROR(WriteFile(data.Path("certificate.pem"),
                            joined.certificate_pem, FileMode::kPublic));
  return Joined{invitation.member, charter.charter.network, words,
                RequestWords(secrets.identity.verify_key(),
                             secrets.witness.verify_key())};
}

}  // namespace amparo::agent

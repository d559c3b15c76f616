#include "agents/auditor/rpc/join.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agents/auditor/profile.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/keystore.h"
#include "crypto/x509.h"
#include "proto/grpc/enrolment_client.h"
#include "proto/network/invitation.h"
#include "proto/network/words.h"

namespace amparo::auditor {
namespace {

constexpr size_t kKeyFileBytesMax = 64 << 10;
constexpr size_t kPassphraseBytes = 32;
constexpr absl::Duration kTimeout = absl::Seconds(30);

// The keys that the join request names. They sign nothing yet but the request;
// a committee that replaces this auditor compares their words.
struct Keys {
  SigningKey identity;
  SigningKey witness;
};

absl::StatusOr<Keys> MakeKeys(ByteView seeds) {
  if (seeds.size() != 2 * SigningKey::kSeedSize)
    return absl::DataLossError("identity.key holds something else");
  ASSIGN_OR_RETURN(SigningKey identity,
                   SigningKey::FromSeed(SecretKeyBytes::CopyOf(
                       seeds.first(SigningKey::kSeedSize))));
  ASSIGN_OR_RETURN(SigningKey witness,
                   SigningKey::FromSeed(SecretKeyBytes::CopyOf(
                       seeds.subspan(SigningKey::kSeedSize))));
  return Keys{std::move(identity), std::move(witness)};
}

// identity.key under the generated passphrase of identity.pass: made now, or
// those of a join that was cut off.
absl::StatusOr<Keys> PrepareKeys(const std::string& folder) {
  const std::string key_path = absl::StrCat(folder, "/identity.key");
  const std::string pass_path = absl::StrCat(folder, "/identity.pass");
  if (FileExists(key_path)) {
    ASSIGN_OR_RETURN(const std::string pass,
                     ReadFile(pass_path, kKeyFileBytesMax));
    ASSIGN_OR_RETURN(const std::string file,
                     ReadFile(key_path, kKeyFileBytesMax));
    ASSIGN_OR_RETURN(
        const SecretBuffer seeds,
        OpenKeystore(file, SecretBuffer::CopyOf(absl::string_view(pass))));
    return MakeKeys(seeds.Expose());
  }
  const SecretKeyBytes seeds =
      SecretKeyBytes::Random(2 * SigningKey::kSeedSize);
  const SecretKeyBytes random = SecretKeyBytes::Random(kPassphraseBytes);
  const SecretBuffer pass =
      SecretBuffer::CopyOf(absl::string_view(ToBase64Url(random.Expose())));
  ASSIGN_OR_RETURN(const std::string file,
                   SealKeystore(SecretBuffer::CopyOf(seeds.Expose()), pass,
                                KeystoreCost::kInteractive));
  RETURN_IF_ERROR(
      WriteFile(pass_path, AsText(pass.Expose()), FileMode::kPrivate));
  RETURN_IF_ERROR(CreateFile(key_path, file, FileMode::kPrivate));
  return MakeKeys(seeds.Expose());
}

absl::StatusOr<TlsKeyPair> PrepareTls(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/key.pem");
  if (FileExists(path)) {
    ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, kKeyFileBytesMax));
    return TlsKeyPair{SecretBuffer::CopyOf(absl::string_view(pem)), ""};
  }
  ASSIGN_OR_RETURN(TlsKeyPair tls, MakeTlsKey());
  RETURN_IF_ERROR(CreateFile(path, AsText(tls.private_key_pem.Expose()),
                             FileMode::kPrivate));
  return tls;
}

absl::StatusOr<Invitation> CheckInvitation(const std::string& text,
                                           const Clock& clock) {
  ASSIGN_OR_RETURN(Invitation invitation,
                   ParseInvitation(absl::StripAsciiWhitespace(text)));
  if (clock.Now() >= invitation.until)
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat("the invitation ended at ", FormatUtc(invitation.until)),
        {.code = "invitation_expired",
         .hint = "ask the broker's operator for a new one"});
  return invitation;
}

absl::Status CheckCharter(const AcceptedCharter& charter,
                          const MemberId& member) {
  const Member* entry = charter.charter.Find(member);
  if (entry == nullptr)
    return MakeError(absl::StatusCode::kNotFound,
                     "the charter does not name this member",
                     {.code = "unknown_member"});
  if (entry->kind != MemberKind::kAuditor)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "this invitation is not for an auditor",
                     {.code = "invalid_invitation",
                      .hint = "institutions join with amparo-agent"});
  return absl::OkStatus();
}

// The broker's word goes into profile.toml: nothing but an address may.
absl::Status CheckAddress(absl::string_view address) {
  const bool fits =
      !address.empty() && address.size() <= 256 &&
      address.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                                "UVWXYZ0123456789.:-[]") ==
          absl::string_view::npos;
  if (fits) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "the broker names an address that is none",
                   {.code = "verification_failed"});
}

}  // namespace

absl::StatusOr<Joined> Join(const JoinOptions& options, const Clock& clock) {
  const std::string certificate = absl::StrCat(options.folder, "/cert.pem");
  if (FileExists(certificate))
    return MakeError(absl::StatusCode::kAlreadyExists,
                     "this profile has joined already", {.code = "conflict"});
  ASSIGN_OR_RETURN(const Invitation invitation,
                   CheckInvitation(options.invitation, clock));
  ASSIGN_OR_RETURN(
      const EnrolmentClient broker,
      EnrolmentClient::Connect(invitation.enrol, invitation.ca_der));
  ASSIGN_OR_RETURN(const AcceptedCharter charter,
                   broker.GetCharterChain(invitation.root));
  RETURN_IF_ERROR(CheckCharter(charter, invitation.member));
  const std::string words = NetworkWords(charter.network_id);
  if (!options.words_confirmed && !options.confirm_words(words))
    return MakeError(
        absl::StatusCode::kPermissionDenied,
        "the network's words were not confirmed",
        {.code = "wrong_pin", .hint = "they stand in the paper protocol"});

  RETURN_IF_ERROR(MakeDirectory(options.folder, FileMode::kPrivate));
  ASSIGN_OR_RETURN(const Keys keys, PrepareKeys(options.folder));
  ASSIGN_OR_RETURN(const TlsKeyPair tls, PrepareTls(options.folder));
  ASSIGN_OR_RETURN(const std::string ca, CertificatePem(invitation.ca_der));
  RETURN_IF_ERROR(WriteFile(absl::StrCat(options.folder, "/ca.pem"), ca,
                            FileMode::kPublic));
  ASSIGN_OR_RETURN(const std::string csr, MakeCsr(tls, charter.charter.network,
                                                  invitation.member.text()));
  const std::string request =
      SignJoinRequest({.net = charter.network_id,
                       .member = invitation.member,
                       .identity_key = keys.identity.verify_key(),
                       .witness_key = keys.witness.verify_key(),
                       .at = TimeFromUnix(UnixSeconds(clock.Now()))},
                      keys.identity);
  ASSIGN_OR_RETURN(const EnrolmentClient::Joined joined,
                   broker.Join(invitation, csr, request));
  RETURN_IF_ERROR(CheckAddress(joined.members_address));
  RETURN_IF_ERROR(WriteFile(absl::StrCat(options.folder, "/profile.toml"),
                            FormatProfile({.member = invitation.member.text(),
                                           .network = charter.charter.network,
                                           .broker = joined.members_address,
                                           .ca = "ca.pem",
                                           .cert = "cert.pem",
                                           .key = "key.pem",
                                           .root = invitation.root,
                                           .timeout = kTimeout}),
                            FileMode::kPublic));
  // Last: with the certificate this profile has joined.
  RETURN_IF_ERROR(
      WriteFile(certificate, joined.certificate_pem, FileMode::kPublic));
  return Joined{
      invitation.member.text(), charter.charter.network, words,
      RequestWords(keys.identity.verify_key(), keys.witness.verify_key())};
}

}  // namespace amparo::auditor

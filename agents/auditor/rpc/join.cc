#include "agents/auditor/rpc/join.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/auditor/profile.h"
#include "agents/auditor/rpc/kept_ca.h"
#include "agents/auditor/rpc/keys.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/x509.h"
#include "proto/grpc/entrance.h"
#include "proto/network/words.h"

namespace amparo::auditor {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(30);

absl::Status CheckKind(const AcceptedCharter& charter, const MemberId& member) {
  if (charter.charter.Find(member)->kind == MemberKind::kAuditor)
    return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "this invitation is not for an auditor",
                   {.code = "invalid_invitation",
                    .hint = "institutions join with amparo-agent join; it was "
                            "not used up"});
}

// The broker's word goes into profile.toml: nothing but an address may.
absl::Status CheckAddress(absl::string_view address) {
  const bool fits = !address.empty() && address.size() <= 256 &&
                    address.find_first_not_of(
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                        "UVWXYZ0123456789.:-[]") == absl::string_view::npos;
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
  ASSIGN_OR_RETURN(const Entrance entrance,
                   EnterNetwork(options.invitation, clock.Now()));
  const Invitation& invitation = entrance.invitation;
  const AcceptedCharter& charter = entrance.charter;
  RETURN_IF_ERROR(CheckKind(charter, invitation.member));
  const std::string words = NetworkWords(charter.network_id);
  if (!options.words_confirmed && !options.confirm_words(words))
    return WordsDiffer();

  RETURN_IF_ERROR(MakeDirectory(options.folder, FileMode::kPrivate));
  ASSIGN_OR_RETURN(const Keys keys, PrepareKeys(options.folder));
  ASSIGN_OR_RETURN(const TlsKeyPair tls, PrepareTls(options.folder));
  RETURN_IF_ERROR(KeepCa(options.folder,
                         absl::StrCat(options.folder, "/ca.pem"), entrance.ca,
                         entrance.network.ca_note));
  ASSIGN_OR_RETURN(
      const EnrolmentClient::Joined joined,
      AskIn(entrance, tls, keys.identity, keys.witness, clock.Now()));
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

absl::Status Reconnect(const std::string& folder, absl::string_view invitation,
                       const Clock& clock) {
  ASSIGN_OR_RETURN(const Profile profile, ReadProfile(folder));
  if (!profile.root.has_value())
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the profile has no root",
                     {.code = "config", .field = "root"});
  ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(profile.member));
  ASSIGN_OR_RETURN(const Keys keys, PrepareKeys(folder));
  ASSIGN_OR_RETURN(const TlsKeyPair tls, PrepareTls(folder));
  const auto known = KeptCa(folder);
  ASSIGN_OR_RETURN(
      const Return back,
      ReturnToNetwork(invitation,
                      {profile.network, member, *profile.root,
                       known.ok() ? known->number : 0},
                      tls, keys.identity, keys.witness, clock.Now()));
  RETURN_IF_ERROR(KeepCa(folder, profile.ca, back.ca, back.ca_note));
  return WriteFile(profile.cert, back.certificate_pem, FileMode::kPublic);
}

}  // namespace amparo::auditor

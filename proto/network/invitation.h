#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "proto/network/member.h"

// Joining: the invitation that the broker's operator hands out, and the join
// request that the committee sees (docs/PROTOCOL.md, Joining).

namespace amparo {

// One line of text: "amparo1." + base64url(JSON) + "." + 8 hex digits of its
// SHA-256. It is no root of trust; `root` is compared with the paper.
struct Invitation {
  std::string network;
  MemberId member;
  std::string enrol;  // host:port
  Bytes ca_der;       // the network CA's certificate
  Digest root;        // hash of charter version 1
  Bytes token;        // 16 bytes, works once
  absl::Time until;
  // While the CA changes: the one that takes its place.
  std::optional<Bytes> next_ca_der = std::nullopt;
};
std::string FormatInvitation(const Invitation& invitation);
// INVALID_ARGUMENT, code "invalid_invitation", saying which part is wrong.
absl::StatusOr<Invitation> ParseInvitation(absl::string_view text);

// What the agent leaves at the broker for the committee: JWS by the identity
// key it names. Proves possession, not identity: people compare the words.
inline constexpr char kJoinRequestTyp[] = "amparo-join-request+jwt";
struct JoinRequest {
  Digest net;
  MemberId member;
  VerifyKey identity_key;
  VerifyKey witness_key;
  absl::Time at;
};
std::string SignJoinRequest(const JoinRequest& request,
                            const SigningKey& identity);
absl::StatusOr<JoinRequest> VerifyJoinRequest(absl::string_view document);

}  // namespace amparo

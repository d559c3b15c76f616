#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/keys.h"
#include "proto/network/member.h"

namespace amparo::committee {

inline constexpr char kGovernanceKeyTyp[] = "amparo-governance-key+jwt";
inline constexpr size_t kKeyStatementBytesMax = 4096;

// The public half of a governance key, on its way from the machine where it was
// made to the draft: JWS by the key it names (docs/PROTOCOL.md, Committee).
// Proves possession, not whose it is: people compare the words.
struct KeyStatement {
  std::string id;   // "G1": [A-Za-z0-9-], 32 bytes at most
  MemberId member;  // that will hold it
  VerifyKey key;
  absl::Time at;
};

// INVALID_ARGUMENT for an id that could not name a file.
absl::StatusOr<std::string> ParseKeyId(absl::string_view text);

std::string SignKeyStatement(const KeyStatement& statement,
                             const SigningKey& key);
// INVALID_ARGUMENT for what is no statement, PERMISSION_DENIED for one that the
// key in it did not sign.
absl::StatusOr<KeyStatement> VerifyKeyStatement(absl::string_view document);
// The same of a file; errors name the path.
absl::StatusOr<KeyStatement> ReadKeyStatement(const std::string& path);

}  // namespace amparo::committee

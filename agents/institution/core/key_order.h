#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/digest.h"

namespace amparo::agent {

// What a person wants done with this agent's keys. It is kept until the proven
// log shows that it was done, through restarts and outages. A value.
struct KeyOrder {
  enum class Kind {
    kRotate,  // a new signing key, vouched for by the old one, and a new prekey
    kRevoke,  // `kid` ends
  };
  Kind kind = Kind::kRotate;
  std::string request_id;  // the same id asks for the same order
  Digest kid;              // rotate: the signing key that is to be replaced
  std::optional<Digest> prekey;  // rotate: and the prekey; none had, none here
  // Revoke: `kid` was in force, so a new signing key follows, by I alone: one
  // that the revoked key vouched for would be worth as little.
  bool replaces = false;
  bool done = false;
};

// Its row.
std::string EncodeKeyOrder(const KeyOrder& order);
// DATA_LOSS for what is none.
absl::StatusOr<KeyOrder> DecodeKeyOrder(absl::string_view row);

}  // namespace amparo::agent

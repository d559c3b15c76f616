#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo {

// A sender takes an undelivered envelope back: JWS by its signing key.
inline constexpr char kRecallTyp[] = "amparo-recall+jwt";
struct Recall {
  Digest net;
  MemberId sender;
  EnvelopeId envelope_id;
  Digest digest;  // of the envelope
  absl::Time at;
  bool operator==(const Recall&) const = default;
};
std::string SignRecall(const Recall& recall, const SigningKey& key);
struct VerifiedRecall {
  Recall recall;
  Digest kid;
};
// INVALID_ARGUMENT for malformed, PERMISSION_DENIED for a bad signature. That
// `kid` is a key of `sender`, and that the rest fits the envelope, is the
// caller's to check.
absl::StatusOr<VerifiedRecall> VerifyRecall(absl::string_view token,
                                            const KeyLookup& keys);
// Content without a check of typ and signature.
absl::StatusOr<Recall> PeekRecall(absl::string_view token);

}  // namespace amparo

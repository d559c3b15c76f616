#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/keys.h"
#include "proto/content/section.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

// Disclosure where the law allows it and agreement was not had
// (docs/PROTOCOL.md, Disclosure without consent).

namespace amparo {

inline constexpr char kWithoutConsentTyp[] = "amparo-without-consent+jwt";
inline constexpr absl::Duration kWithoutConsentLife = absl::Hours(72);

// without_consent/1: the officer's reasons.
struct ReasonForm {
  std::set<Section> sections;
  std::string risk_level;
  std::string purpose;
  std::vector<std::string> legal_basis;
  std::string agreement_sought;  // yes unsafe impossible refused
  std::string informed_answer;   // yes later unsafe
  std::optional<std::string> informed_date;
  std::optional<std::string> second_approver;
  std::optional<absl::Time> expires;  // none: 72 h after it is signed
  // facts, why of each section, proportionality, why the person was not
  // informed: never leave the sender.
  Json texts;
};
absl::StatusOr<ReasonForm> ParseReasonForm(absl::string_view text);

// The signed record, made for one recipient with its own sections only.
struct WithoutConsent {
  Digest net;
  MemberId issuer;
  MemberId recipient;
  absl::Time at;
  absl::Time expires;
  CaseId case_id;
  WithoutConsentId id;
  std::string reason_code;  // BasisReasons()
  std::set<Section> sections;
  std::string risk_level;
  std::string purpose;
  std::vector<std::string> legal_basis;
  std::string agreement_sought;
  std::string informed_answer;
  std::optional<std::string> informed_date;
  bool second_approver = false;
  Digest texts;       // TextsDigest
  std::string token;  // the JWS, as signed
  bool operator==(const WithoutConsent&) const = default;
};

// H("amparo/v1/reason-texts"; salt 32, JSON of the texts).
Digest TextsDigest(ByteView salt, const Json& texts);

// Signs `record`; fills `token`.
WithoutConsent SignWithoutConsent(WithoutConsent record, const SigningKey& key);
// INVALID_ARGUMENT for malformed, PERMISSION_DENIED for a bad signature.
absl::StatusOr<WithoutConsent> VerifyWithoutConsent(absl::string_view token,
                                                    const KeyLookup& keys);
// Without a check of the signature: for what was verified before and stored.
absl::StatusOr<WithoutConsent> LoadWithoutConsent(absl::string_view token);

}  // namespace amparo

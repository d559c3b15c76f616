// The part of CaseCheck that verifies documents, and learns what they say of
// the case.

#include "absl/strings/match.h"
#include "agents/auditor/case_check.h"
#include "base/status.h"
#include "crypto/jws.h"
#include "proto/content/case_authority.h"
#include "proto/content/referral_document.h"
#include "proto/content/revocation.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/receipt.h"

namespace amparo::auditor {
namespace {

bool HasTyp(const std::string& document, absl::string_view expected) {
  const auto typ = PeekJwsTyp(document);
  return typ.ok() && *typ == expected;
}
bool IsGrant(const std::string& document) {
  return HasTyp(document, kGrantTyp);
}
bool IsReferral(const std::string& document) {
  return HasTyp(document, kReferralTyp);
}
bool IsRevocation(const std::string& document) {
  return HasTyp(document, kRevocationTyp);
}
bool IsReceipt(const std::string& document) {
  return HasTyp(document, kReceiptTyp);
}

}  // namespace

// What `member` signed before, and vouches for by the entry at this place.
KeyLookup CaseCheck::KeysOf(const Place& at, const MemberId& member) const {
  return [this, at, member](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    ASSIGN_OR_RETURN(const SignerRecord signer,
                     network_.keys().EarlierSigner(member, kid, at.leaf));
    return signer.key;
  };
}

// What a document that is in the log from here on says about the case.
absl::StatusOr<bool> CaseCheck::LearnDocument(const Place& at,
                                              const MemberId& issuer,
                                              const std::string& document,
                                              OpenCase& open) {
  if (IsGrant(document)) {
    const auto told = open.grants.find(SdJwtDigest(document));
    if (told == open.grants.end())
      return absl::NotFoundError("its grant is not among the case's");
    RETURN_IF_ERROR(Learn(at, issuer, told->second, open));
    return true;
  }
  if (IsReferral(document)) return true;  // see CheckContent
  if (IsReceipt(document)) return IsOfCase(at, issuer, document, open);
  if (!IsRevocation(document)) {
    // An answer: whose it is, and of which case. What the link between two
    // members carries is of none.
    ASSIGN_OR_RETURN(const std::string typ, PeekJwsTyp(document));
    ASSIGN_OR_RETURN(
        const VerifiedJws jws,
        VerifyJws(document, typ, KeysOf(at, issuer), kReceiptBytesMax));
    if (jws.payload.value("iss", Json()) != issuer.text() ||
        jws.payload.value("case", Json()) != open.state.case_id.text())
      return absl::PermissionDeniedError(
          "the document is of another case, or of none");
    return true;
  }
  ASSIGN_OR_RETURN(const Revocation revocation,
                   VerifyRevocation(document, KeysOf(at, issuer)));
  if (revocation.issuer != issuer || revocation.case_id != open.state.case_id)
    return absl::PermissionDeniedError("the revocation is of another case");
  open.state.revoked.emplace(std::pair(revocation.grant, issuer), "");
  SettleStatuses(open.state);
  return true;
}

// An acknowledgement names an envelope, and no case: it is of this one if that
// envelope is.
absl::StatusOr<bool> CaseCheck::IsOfCase(const Place& at,
                                         const MemberId& issuer,
                                         const std::string& receipt,
                                         const OpenCase& open) {
  ASSIGN_OR_RETURN(const VerifiedReceipt verified,
                   VerifyReceipt(receipt, KeysOf(at, issuer)));
  if (verified.receipt.issuer != issuer)
    return absl::PermissionDeniedError("the receipt is another member's");
  const auto named = open.mail.find(verified.receipt.leaf);
  if (named != open.mail.end() && named->second == verified.receipt.digest)
    return true;
  ++unplaced_;
  return false;
}

absl::Status CaseCheck::Learn(const Place& at, const MemberId& issuer,
                              Told& told, OpenCase& open) const {
  if (told.known) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Grant grant,
                   VerifyGrant(told.jwt, told.disclosures, KeysOf(at, issuer)));
  if (grant.issuer != issuer || grant.case_id != open.state.case_id)
    return absl::PermissionDeniedError("the grant is of another case");
  told.known = true;
  told.issuer = issuer;
  AddGrant(grant, open.state);
  SettleStatuses(open.state);
  return absl::OkStatus();
}

// The document itself, and, where the party shows it, what went of it.
absl::Status CaseCheck::CheckContent(const Place& at, const Header& header,
                                     const Item& item) {
  const OpenedEnvelope& opened = *item.envelope;
  ASSIGN_OR_RETURN(const ReferralDocument document,
                   VerifyReferral(opened.document,
                                  opened.content ? opened.content->disclosures
                                                 : std::vector<Disclosure>(),
                                  KeysOf(at, header.sender)));
  if (document.claims.issuer != header.sender ||
      document.claims.net != header.network_id ||
      document.claims.case_id != item.open->state.case_id)
    return absl::PermissionDeniedError("its document is of another case");
  if (!opened.content) return absl::OkStatus();
  if (document.slots() != opened.slots)
    return absl::PermissionDeniedError("other sections went than it says");
  for (const std::string& text : opened.content->grants) {
    if (!absl::StrContains(text, '~')) {
      item.open->bases_sent.insert(text);  // see CheckCovered
      continue;
    }
    ASSIGN_OR_RETURN(const ParsedSdJwt parsed,
                     ParseSdJwt(text, kGrantBytesMax));
    RETURN_IF_ERROR(
        LearnDocument(at, header.sender, parsed.jwt, *item.open).status());
  }
  return absl::OkStatus();
}

}  // namespace amparo::auditor

#include "agents/auditor/case_check.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "proto/content/case_authority.h"
#include "proto/content/policy.h"
#include "proto/content/referral_document.h"
#include "proto/content/revocation.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"

namespace amparo::auditor {
namespace {

constexpr size_t kAnchorsListed = 100;
constexpr char kHowToCheck[] =
    "the anchor in the entry is SHA-256 of the label amparo/v1/anchor, the "
    "salt, SHA-256 of the document and the manifest; docs/EVIDENCE.md";

bool IsGrant(const std::string& document) {
  const auto typ = PeekJwsTyp(document);
  return typ.ok() && *typ == kGrantTyp;
}
bool IsReferral(const std::string& document) {
  const auto typ = PeekJwsTyp(document);
  return typ.ok() && *typ == kReferralTyp;
}
bool IsRevocation(const std::string& document) {
  const auto typ = PeekJwsTyp(document);
  return typ.ok() && *typ == kRevocationTyp;
}

std::string NamesOf(const std::set<Slot>& slots) {
  return absl::StrJoin(slots, ", ", [](std::string* out, Slot slot) {
    absl::StrAppend(out, NameOf(slot));
  });
}

}  // namespace

void CaseCheck::Add(FindingCode code, LeafIndex leaf, const std::string& text) {
  report_.Add(Step::kDisclosures,
              {code, leaf, text,
               code == FindingCode::kBadSignature ? kHowToCheck : ""});
}

// What `member` signed before, and vouches for by the entry at this place.
KeyLookup CaseCheck::KeysOf(const Place& at, const MemberId& member) const {
  return [this, at, member](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    ASSIGN_OR_RETURN(const SignerRecord signer,
                     network_.keys().EarlierSigner(member, kid, at.leaf));
    return signer.key;
  };
}

void CaseCheck::OnEvent(LeafIndex leaf, absl::Time time,
                        const AuditEvent& event) {
  const auto* anchor = std::get_if<AnchorEvent>(&event);
  if (anchor != nullptr && !cases_.empty() && !anchors_told_.contains(leaf)) {
    const auto made = MakeSignedAnchor(anchor->anchor, anchor->signature);
    for (auto& [id, open] : cases_) {
      if (!made.ok() || !open.tellers.contains(made->anchor.member)) continue;
      ++open.row->anchors_unopened;
      if (open.row->anchors.size() < kAnchorsListed)
        open.row->anchors.push_back(leaf);
    }
  }
  const auto found = items_.find(leaf);
  if (found == items_.end()) return;
  const std::vector<Item> items = std::move(found->second);
  items_.erase(found);
  if (network_.Charter() == nullptr)
    return report_.Skip(Step::kDisclosures, network_.WhyNone());
  const Place at{leaf, time};
  const auto* envelope = std::get_if<EnvelopeEvent>(&event);
  for (const Item& item : items) {
    absl::Status good =
        absl::InvalidArgumentError("the entry is another event");
    if (item.opening->net != network_.Charter()->network_id) {
      good = absl::PermissionDeniedError("the case is of another network");
    } else if (item.anchor != nullptr && anchor != nullptr) {
      good = CheckAnchor(at, *anchor, item);
    } else if (item.envelope != nullptr && envelope != nullptr) {
      const absl::StatusOr<Header> header = DecodeHeader(envelope->header);
      good = header.status();
      if (good.ok()) good = CheckEnvelope(at, *header, item);
      if (good.ok()) CheckOthers(at, *header, item, items);
    }
    if (!good.ok())
      Add(FindingCode::kBadSignature, leaf,
          absl::StrCat(item.opening->member.text(), "'s opening of case ",
                       item.open->row->case_id,
                       " does not fit the entry: ", good.message()));
  }
}

absl::Status CaseCheck::CheckAnchor(const Place& at, const AnchorEvent& event,
                                    const Item& item) {
  ASSIGN_OR_RETURN(const SignedAnchor made,
                   MakeSignedAnchor(event.anchor, event.signature));
  const std::string& document = item.anchor->document;
  if (made.anchor.anchor !=
      AnchorDigest(item.anchor->salt, SdJwtDigest(document), Digest()))
    return absl::PermissionDeniedError("the anchor is of another document");
  ++item.open->row->anchors_opened;
  return LearnDocument(at, made.anchor.member, document, *item.open);
}

// What a document that is in the log from here on says about the case.
absl::Status CaseCheck::LearnDocument(const Place& at, const MemberId& issuer,
                                      const std::string& document,
                                      OpenCase& open) const {
  if (IsGrant(document)) {
    const auto told = open.grants.find(SdJwtDigest(document));
    if (told == open.grants.end())
      return absl::NotFoundError("its grant is not among the case's");
    return Learn(at, issuer, told->second, open);
  }
  if (IsReferral(document)) return absl::OkStatus();  // see CheckContent
  if (!IsRevocation(document)) {
    // An answer or receipt: whose it is, and of which case if it says.
    ASSIGN_OR_RETURN(const std::string typ, PeekJwsTyp(document));
    ASSIGN_OR_RETURN(
        const VerifiedJws jws,
        VerifyJws(document, typ, KeysOf(at, issuer), kReceiptBytesMax));
    if (jws.payload.value("iss", Json()) != issuer.text() ||
        jws.payload.value("case", Json(open.state.case_id.text())) !=
            open.state.case_id.text())
      return absl::PermissionDeniedError("the document is of another case");
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const Revocation revocation,
                   VerifyRevocation(document, KeysOf(at, issuer)));
  if (revocation.issuer != issuer || revocation.case_id != open.state.case_id)
    return absl::PermissionDeniedError("the revocation is of another case");
  open.state.revoked.emplace(std::pair(revocation.grant, issuer), "");
  SettleStatuses(open.state);
  return absl::OkStatus();
}

absl::Status CaseCheck::Learn(const Place& at, const MemberId& issuer,
                              Told& told, OpenCase& open) const {
  if (told.known) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Grant grant,
                   VerifyGrant(told.jwt, told.disclosures, KeysOf(at, issuer)));
  if (grant.issuer != issuer || grant.case_id != open.state.case_id)
    return absl::PermissionDeniedError("the grant is of another case");
  told.known = true;
  AddGrant(grant, open.state);
  SettleStatuses(open.state);
  return absl::OkStatus();
}

absl::Status CaseCheck::CheckEnvelope(const Place& at, const Header& header,
                                      const Item& item) {
  const OpenedEnvelope& opened = *item.envelope;
  if (header.sender != item.opening->member &&
      header.recipient != item.opening->member)
    return absl::PermissionDeniedError("it is between others");
  if (header.anchor !=
      AnchorDigest(opened.salt, SdJwtDigest(opened.document), opened.manifest))
    return absl::PermissionDeniedError("the envelope held something else");
  OpenedCase& row = *item.open->row;
  ++row.envelopes;
  if (opened.content &&
      ManifestDigest(opened.content->salt2, opened.content->disclosures,
                     opened.content->grants) != opened.manifest)
    return absl::PermissionDeniedError(
        "the content is not what its manifest is made of");
  if (!IsReferral(opened.document)) {
    if (!opened.slots.empty())
      return absl::PermissionDeniedError(
          "a document without sections has some");
    return LearnDocument(at, header.sender, opened.document, *item.open);
  }
  RETURN_IF_ERROR(CheckContent(at, header, item));
  report_.Checked(Step::kDisclosures);
  row.disclosures += opened.slots.size();
  if (!opened.content) ++row.unproven;
  CheckCovered(at, header, item);
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
    if (!absl::StrContains(text, '~')) continue;  // a basis: see CheckCovered
    ASSIGN_OR_RETURN(const ParsedSdJwt parsed,
                     ParseSdJwt(text, kGrantBytesMax));
    RETURN_IF_ERROR(LearnDocument(at, header.sender, parsed.jwt, *item.open));
  }
  return absl::OkStatus();
}

// What the other end says of the same envelope.
void CaseCheck::CheckOthers(const Place& at, const Header& header,
                            const Item& item, const std::vector<Item>& items) {
  const MemberId& other =
      header.sender == item.opening->member ? header.recipient : header.sender;
  if (item.open->tellers.contains(other) &&
      !item.open->tells.contains({other, at.leaf}))
    Add(FindingCode::kOpeningMissing, at.leaf,
        absl::StrCat(other.text(), "'s opening of case ",
                     item.open->row->case_id, " leaves out an envelope that ",
                     item.opening->member.text(), " opens"));
  for (const Item& second : items)
    if (second.envelope != nullptr && second.open == item.open &&
        second.envelope->slots != item.envelope->slots)
      Add(FindingCode::kBadSignature, at.leaf,
          absl::StrCat(
              "both ends of this envelope of case ", item.open->row->case_id,
              " name different sections: ", NamesOf(item.envelope->slots),
              " and ", NamesOf(second.envelope->slots)));
}

// Grants that nobody says the entry of: their own date is all there is.
void CaseCheck::LearnUndated(const Place& at, const MemberId& issuer,
                             OpenCase& open) {
  for (auto& [digest, told] : open.grants) {
    if (told.known || told.anchored) continue;
    const auto grant = LoadGrant(told.jwt, told.disclosures);
    if (!grant.ok() || grant->issuer != issuer || grant->issued_at > at.time)
      continue;
    if (Learn(at, issuer, told, open).ok()) ++open.row->grants_undated;
  }
}

void CaseCheck::CheckCovered(const Place& at, const Header& header,
                             const Item& item) {
  OpenCase& open = *item.open;
  LearnUndated(at, header.sender, open);
  CaseState state = open.state;
  for (const std::string& token : open.bases) {
    const auto basis = VerifyWithoutConsent(token, KeysOf(at, header.sender));
    if (basis.ok() && basis->recipient == header.recipient &&
        basis->case_id == state.case_id && basis->at <= at.time)
      AddBasis(*basis, state);
  }
  const auto adjusted =
      network_.keys().standings().Adjust(network_.Charter()->charter, at.time);
  const Transfer transfer{.sender = header.sender,
                          .recipient = header.recipient,
                          .case_id = state.case_id,
                          .purpose = item.envelope->purpose,
                          .first_contact = item.envelope->first_contact};
  std::map<FindingCode, std::pair<std::set<Slot>, std::string>> refused;
  for (const Slot slot : item.envelope->slots) {
    const SectionDecision decision =
        MayShow(adjusted ? *adjusted : network_.Charter()->charter,
                state.authority, transfer, slot, at.time);
    if (decision.allowed()) continue;
    auto& [slots, why] = refused[decision.reason == Reason::kRevoked
                                     ? FindingCode::kAfterRevocation
                                     : FindingCode::kNotCovered];
    slots.insert(slot);
    if (why.empty()) why = decision.text;
  }
  for (const auto& [code, what] : refused)
    Add(code, at.leaf,
        absl::StrCat(header.sender.text(), " sent ", header.recipient.text(),
                     " ", NamesOf(what.first), " of case ", open.row->case_id,
                     ", and by what was logged before this entry ",
                     what.second));
}

void CaseCheck::Finish() {
  if (cases_.empty())
    return report_.Skip(Step::kDisclosures, "no opened cases were given");
  if (!items_.empty())
    report_.Skip(Step::kDisclosures,
                 absl::StrCat("entry ", items_.begin()->first.value(), " and ",
                              items_.size() - 1,
                              " more of the opened cases are not in this log, "
                              "or have no opening in it"));
  uint64_t unproven = 0, undated = 0;
  for (const OpenedCase& row : report_.cases) {
    unproven += row.unproven;
    undated += row.grants_undated;
  }
  if (unproven > 0)
    report_.Skip(Step::kDisclosures,
                 absl::StrCat("which sections ", unproven,
                              " envelope(s) held is their party's word: "
                              "without the plaintext nobody can recompute it"));
  if (undated > 0)
    report_.Skip(Step::kDisclosures,
                 absl::StrCat("of ", undated,
                              " grant(s) nobody says where "
                              "they were logged: their own date was taken"));
}

}  // namespace amparo::auditor

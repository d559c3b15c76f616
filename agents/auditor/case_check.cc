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
#include "proto/envelope/receipt.h"

namespace amparo::auditor {
namespace {

constexpr size_t kAnchorsListed = 100;
// How to check what an opening says of an entry.
constexpr char kOwnEntry[] =
    "the anchor in the entry is SHA-256 of the label amparo/v1/anchor, the "
    "salt, SHA-256 of the document and the manifest; docs/EVIDENCE.md";
constexpr char kTwoEnds[] =
    "envelopes of both openings, at this leaf; opened --with-sections, the "
    "content proves which sections went";
constexpr char kLeftOut[] =
    "the leaf is among envelopes of the one opening, and of the other neither "
    "there nor in unopened";
constexpr char kLeftOutThoughItCame[] =
    "the leaf is among envelopes of the one opening, and of the other neither "
    "there nor in unopened, and the timeline has its receipt: delivered";

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

void CaseCheck::Add(FindingCode code, LeafIndex leaf, const std::string& text,
                    const char* check) {
  report_.Add(Step::kDisclosures, {code, leaf, text, check});
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
  if (const auto* receipt = std::get_if<ReceiptEvent>(&event))
    OnReceipt({leaf, time}, receipt->token);
  const auto found = items_.find(leaf);
  if (found == items_.end()) return;
  std::vector<Item> items = std::move(found->second);
  items_.erase(found);
  // What is proven first: it is known then when the others are judged.
  std::stable_partition(items.begin(), items.end(), [](const Item& item) {
    return item.envelope != nullptr && item.envelope->content.has_value();
  });
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
      if (good.ok()) good = CheckEnvelope(at, *header, item, items);
      if (good.ok())
        CheckOthers(at, *header,
                    EnvelopeDigest(envelope->header, envelope->body), item,
                    items);
    }
    if (!good.ok())
      Add(FindingCode::kBadSignature, leaf,
          absl::StrCat(item.opening->member.text(), "'s opening of case ",
                       item.open->row->case_id,
                       " does not fit the entry: ", good.message()),
          kOwnEntry);
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
                                      const Item& item,
                                      const std::vector<Item>& items) {
  const OpenedEnvelope& opened = *item.envelope;
  if (header.sender != item.opening->member &&
      header.recipient != item.opening->member)
    return absl::PermissionDeniedError("it is between others");
  if (header.anchor !=
      AnchorDigest(opened.salt, SdJwtDigest(opened.document), opened.manifest))
    return absl::PermissionDeniedError("the envelope held something else");
  OpenedCase& row = *item.open->row;
  // Both ends may have opened it; what proves itself comes first.
  const bool first = item.open->counted.insert(at.leaf).second;
  if (first) ++row.envelopes;
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
  if (first) {
    report_.Checked(Step::kDisclosures);
    row.disclosures += opened.slots.size();
    if (!opened.content) {
      ++row.unproven;
      item.open->unproven.emplace(header.sender, header.recipient);
    }
  }
  if (OtherEnd(item, items) == nullptr) ++row.one_sided;
  CheckCovered(at, header, item, items);
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
    RETURN_IF_ERROR(LearnDocument(at, header.sender, parsed.jwt, *item.open));
  }
  return absl::OkStatus();
}

const OpenedEnvelope* CaseCheck::OtherEnd(const Item& item,
                                          const std::vector<Item>& items) {
  for (const Item& other : items)
    if (other.envelope != nullptr && other.open == item.open &&
        other.opening->member != item.opening->member)
      return other.envelope;
  return nullptr;
}

// What the other end says of the same envelope.
void CaseCheck::CheckOthers(const Place& at, const Header& header,
                            const Digest& digest, const Item& item,
                            const std::vector<Item>& items) {
  const bool sent = header.sender == item.opening->member;
  const MemberId& other = sent ? header.recipient : header.sender;
  if (item.open->tellers.contains(other) &&
      !item.open->tells.contains({other, at.leaf}))
    missing_.push_back(
        {item.open, at.leaf, digest, other,
                        item.opening->member, !sent, sent});
  const OpenedEnvelope& one = *item.envelope;
  const OpenedEnvelope* two = OtherEnd(item, items);
  if (two == nullptr) return;
  const auto differ = [&](const char* what, const std::string& first,
                          const std::string& second) {
    Add(FindingCode::kBadSignature, at.leaf,
        absl::StrCat("the ends of this envelope of case ",
                     item.open->row->case_id, " name different ", what, ": ",
                     item.opening->member.text(), " ", first, ", ",
                     other.text(), " ", second),
        kTwoEnds);
  };
  if (one.slots != two->slots)
    differ("sections", NamesOf(one.slots), NamesOf(two->slots));
  else if (one.purpose != two->purpose)
    differ("purposes", one.purpose, two->purpose);
  else if (one.first_contact != two->first_contact)
    differ("kinds of contact", one.first_contact ? "first" : "not first",
           two->first_contact ? "first" : "not first");
}

void CaseCheck::OnReceipt(const Place& at, const std::string& token) {
  if (missing_.empty()) return;
  const absl::StatusOr<Receipt> said = PeekReceipt(token);
  if (!said.ok() || said->kind != ReceiptKind::kDelivered) return;
  for (Missing& one : missing_)
    if (one.leaf == said->leaf && one.digest == said->digest &&
        one.member == said->issuer &&
        VerifyReceipt(token, KeysOf(at, said->issuer)).ok())
      one.got = true;
}

// Only who had it can leave it out: what was taken back, ran out, could not be
// opened or still waits never came.
void CaseCheck::ReportMissing() {
  for (const Missing& one : missing_) {
    if (!one.got) continue;
    const std::optional<LeafIndex> alone =
        MadeAlone(network_.keys(), one.member);
    if (alone.has_value() && *alone > one.leaf) {
      open_.push_back(absl::StrCat(
          one.member.text(), "'s opening lacks the envelope of entry ",
          one.leaf.value(),
          ", and it came back from a backup since: it may have lost it"));
      continue;
    }
    Add(FindingCode::kOpeningMissing, one.leaf,
        absl::StrCat(one.member.text(), "'s opening of case ",
                     one.open->row->case_id, " leaves out an envelope that ",
                     one.opener.text(), " opens",
                     one.by_receipt ? ", and for which it signed that it came; "
                                      "what it put aside unread it may list as "
                                      "unopened"
                                    : ""),
        one.by_receipt ? kLeftOutThoughItCame : kLeftOut);
  }
}

void CaseCheck::Finish() {
  if (cases_.empty())
    return report_.Skip(Step::kDisclosures, "no opened cases were given");
  ReportMissing();
  CountProvisions();
  if (!items_.empty())
    open_.push_back(absl::StrCat(
        "entry ", items_.begin()->first.value(), " and ", items_.size() - 1,
        " more of the opened cases are not in this log, or have no opening in "
        "it"));
  const auto say = [this](uint64_t OpenedCase::*count, const char* before,
                          const char* after) {
    uint64_t sum = 0;
    for (const OpenedCase& row : report_.cases) sum += row.*count;
    if (sum > 0) open_.push_back(absl::StrCat(before, sum, after));
  };
  say(&OpenedCase::unproven, "which sections ",
      " envelope(s) held is their party's word: without the plaintext nobody "
      "can recompute it");
  say(&OpenedCase::one_sided, "the purpose of ",
      " envelope(s) is the word of one end");
  say(&OpenedCase::grants_undated, "of ",
      " grant(s) nobody says where they were logged: their own date was taken");
  say(&OpenedCase::bases_undated, "that a legal basis went with ",
      " envelope(s), and when it was made, is a party's word");
  say(&OpenedCase::provisions_hidden, "of the consents' provisions ",
      " digest(s) are not shown: decoys, or denials and exclusions that were "
      "kept back");
  if (!open_.empty())
    report_.Skip(Step::kDisclosures, absl::StrJoin(open_, "; "));
}

}  // namespace amparo::auditor

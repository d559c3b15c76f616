#include "agents/auditor/case_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"
#include "proto/content/referral_document.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/codec.h"

namespace amparo::auditor {
namespace {

constexpr size_t kAnchorsListed = 100;
// How to check what an opening says of an entry.
constexpr char kOwnEntry[] =
    "the anchor in the entry is SHA-256 of the label amparo/v1/anchor, the "
    "salt, SHA-256 of the document and the manifest; docs/EVIDENCE.md";

}  // namespace

void CaseCheck::Add(FindingCode code, LeafIndex leaf, const std::string& text,
                    const char* check) {
  report_.Add(Step::kDisclosures, {code, leaf, text, check});
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
  const auto* envelope = std::get_if<EnvelopeEvent>(&event);
  CheckUnopened(leaf, envelope);
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
  for (const Item& item : items) {
    absl::Status good =
        absl::InvalidArgumentError("the entry is another event");
    if (item.opening->net != network_.Charter()->network_id) {
      good = absl::PermissionDeniedError("the case is of another network");
    } else if (item.anchor != nullptr && anchor != nullptr) {
      good = CheckAnchor(at, *anchor, item);
    } else if (item.envelope != nullptr && envelope != nullptr) {
      good = OnEnvelope(at, *envelope, item, items);
    }
    if (!good.ok())
      Add(FindingCode::kBadSignature, leaf,
          absl::StrCat(item.opening->member.text(), "'s opening of case ",
                       item.open->row->case_id,
                       " does not fit the entry: ", good.message()),
          kOwnEntry);
  }
}

absl::Status CaseCheck::OnEnvelope(const Place& at, const EnvelopeEvent& event,
                                   const Item& item,
                                   const std::vector<Item>& items) {
  ASSIGN_OR_RETURN(const Header header, DecodeHeader(event.header));
  ASSIGN_OR_RETURN(const bool of_case, CheckEnvelope(at, header, item, items));
  if (!of_case) return absl::OkStatus();
  const Digest digest = EnvelopeDigest(event.header, event.body);
  item.open->mail.emplace(at.leaf, digest);
  CheckOthers(at, header, digest, item, items);
  return absl::OkStatus();
}

// It may have brought what nobody shows, to whom it went.
void CaseCheck::CheckUnopened(LeafIndex leaf, const EnvelopeEvent* event) {
  const auto found = unopened_.find(leaf);
  if (found == unopened_.end()) return;
  const absl::StatusOr<Header> header =
      event != nullptr ? DecodeHeader(event->header)
                       : absl::NotFoundError("it is no envelope");
  for (const auto& [open, opening] : found->second) {
    if (header.ok() && (header->sender == opening->member ||
                        header->recipient == opening->member))
      open->hidden.emplace(header->sender, header->recipient);
    else
      Add(FindingCode::kBadSignature, leaf,
          absl::StrCat(opening->member.text(), "'s opening of case ",
                       open->row->case_id,
                       " lists as unopened what is no envelope of its own"),
          "amparo-audit show, for this entry: who sent it, and to whom");
  }
  unopened_.erase(found);
}

void CaseCheck::OnUnopened(LeafIndex leaf) {
  const auto found = unopened_.find(leaf);
  if (found == unopened_.end()) return;
  for (const auto& [open, opening] : found->second) open->hides_any = true;
  unopened_.erase(found);
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
  RETURN_IF_ERROR(
      LearnDocument(at, made.anchor.member, document, *item.open).status());
  const auto grant = item.open->grants.find(SdJwtDigest(document));
  // Another's anchor of it says nothing of when its issuer logged it.
  if (grant != item.open->grants.end() &&
      grant->second.issuer == made.anchor.member)
    grant->second.anchor_seen = true;
  return absl::OkStatus();
}

absl::StatusOr<bool> CaseCheck::CheckEnvelope(const Place& at,
                                              const Header& header,
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
  if (PeekJwsTyp(opened.document).value_or("") != kReferralTyp) {
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
      item.open->hidden.emplace(header.sender, header.recipient);
    }
  }
  if (OtherEnd(item, items) == nullptr) ++row.one_sided;
  CheckCovered(at, header, item, items);
  return true;
}

void CaseCheck::Finish() {
  if (cases_.empty())
    return report_.Skip(Step::kDisclosures, "no opened cases were given");
  ReportMissing();
  SettleAwaited();
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
  if (unplaced_ > 0)
    open_.push_back(absl::StrCat(
        unplaced_,
        " acknowledgement(s) name an envelope that no opening has: of which "
        "case they are nobody can say"));
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

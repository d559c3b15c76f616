// The part of CaseCheck that holds what one end of an envelope says against the
// other's.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/auditor/case_check.h"
#include "proto/envelope/receipt.h"

namespace amparo::auditor {
namespace {

constexpr char kTwoEnds[] =
    "envelopes of both openings, at this leaf; opened --with-sections, the "
    "content proves which sections went";
constexpr char kLeftOut[] =
    "the leaf is among envelopes of the one opening, and of the other neither "
    "there nor in unopened";
constexpr char kLeftOutThoughItCame[] =
    "the leaf is among envelopes of the one opening, and of the other neither "
    "there nor in unopened, and the timeline has its receipt: delivered";

std::string NamesOf(const std::set<Slot>& slots) {
  return absl::StrJoin(slots, ", ", [](std::string* out, Slot slot) {
    absl::StrAppend(out, NameOf(slot));
  });
}

}  // namespace

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
  const auto reach = item.open->tellers.find(other);
  if (reach != item.open->tellers.end() &&
      !item.open->tells.contains({other, at.leaf})) {
    if (at.leaf.value() >= reach->second.value())
      item.open->behind.insert(other);
    else
      missing_.push_back({item.open, at.leaf, digest, other,
                          item.opening->member, !sent, sent});
  }
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
  for (const auto& [id, open] : cases_)
    for (const MemberId& member : open.behind)
      open_.push_back(absl::StrCat(
          member.text(), "'s opening of case ", id.text(),
          " was written when it knew ", open.tellers.at(member).value(),
          " entries of the log, and envelopes came since: ask it for a newer "
          "one"));
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

}  // namespace amparo::auditor

#include "agents/auditor/event_check.h"

#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/erasure.h"

namespace amparo::auditor {
namespace {

// A charter follows what it disowns by days: a sender's mail of such a time.
constexpr size_t kRecentMax = 1000;

}  // namespace

void EventCheck::OnEvent(LeafIndex leaf, absl::Time time,
                         const AuditEvent& event) {
  TimelineEntry row{.index = leaf, .at = time};
  row.event = std::string(NameOf(event));
  const Place at{leaf, time, &row};
  if (network_.Charter() == nullptr)
    report_.Skip(Step::kSignatures, network_.WhyNone());
  else
    report_.Checked(Step::kSignatures);
  std::visit([&](const auto& content) { Judge(at, content); }, event);
  if (timeline_ != nullptr) timeline_(row);
}

void EventCheck::OnCharter(LeafIndex leaf) {
  const Standings& standings = network_.keys().standings();
  for (auto& [member, mail] : recent_) {
    DisownedMail disowned{member.text(), leaf, {}, {}, 0, false};
    disowned.at_least =
        mail.size() == kRecentMax &&
        standings.IsDisowned(member, mail.front().first, mail.front().second);
    std::erase_if(mail, [&](const auto& one) {
      if (!standings.IsDisowned(member, one.first, one.second)) return false;
      if (disowned.envelopes++ == 0) disowned.first = one.first;
      disowned.last = one.first;
      return true;
    });
    if (disowned.envelopes > 0) report_.AddDisowned(std::move(disowned));
  }
}

void EventCheck::Finish() {
  const StepResult& openings = report_.step(Step::kOpenings);
  if (report_.step(Step::kSignatures).checked == 0)
    report_.Skip(Step::kSignatures, openings.skipped.empty()
                                        ? "no entry could be opened"
                                        : openings.skipped);
  if (!openings_.active())
    report_.Skip(Step::kLinks,
                 "the source gives no openings: only the entries' times were "
                 "compared");
}

void EventCheck::Judge(const Place& at, const EnvelopeEvent& event) {
  ++report_.counts.envelopes;
  const absl::StatusOr<Header> header = DecodeHeader(event.header);
  if (!header.ok()) return AddBad(at, "its header cannot be read");
  const Digest digest = EnvelopeDigest(event.header, event.body);
  at.row->from = header->sender.text();
  at.row->to = header->recipient.text();
  at.row->envelope_id = header->envelope_id.text();
  at.row->digest = digest.ToString();
  if (const absl::Status good = CheckEnvelope(at, *header, event); !good.ok())
    return AddBad(at, good.message());
  auto& recent = recent_[header->sender];
  recent.emplace_back(at.leaf, at.time);
  if (recent.size() > kRecentMax) recent.pop_front();
  links_.OnCreated(at.leaf, at.time, header->created);
  links_.OnEnvelope(at.leaf, *header, digest, openings_.unopened());
  // A second submission of the same bytes is a fork of its chain: told there.
  state_.waiting.try_emplace(
      digest, Waiting{at.leaf, header->envelope_id, header->sender,
                      header->recipient, header->expires});
}

absl::Status EventCheck::CheckEnvelope(const Place& at, const Header& header,
                                       const EnvelopeEvent& event) const {
  const AcceptedCharter* charter = network_.Charter();
  if (charter == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(CheckNet(header.network_id));
  const Member* recipient = charter->charter.Find(header.recipient);
  if (recipient == nullptr || !HasMailbox(recipient->kind))
    return absl::PermissionDeniedError("its recipient has no mailbox");
  if (!network_.keys().standings().WasActive(header.recipient, at.leaf,
                                             at.time))
    return absl::PermissionDeniedError("its recipient was no active member");
  ASSIGN_OR_RETURN(const SignerRecord signer,
                   network_.keys().SignerAt(header.sender, header.sender_kid,
                                            at.leaf, at.time));
  return VerifyEnvelopeSignature(header, event.header, event.body,
                                 event.signature, signer.key);
}

void EventCheck::Judge(const Place& at, const AnchorEvent& event) {
  ++report_.counts.anchors;
  const absl::StatusOr<SignedAnchor> anchor =
      MakeSignedAnchor(event.anchor, event.signature);
  if (!anchor.ok()) return AddBad(at, "its anchor cannot be read");
  at.row->from = anchor->anchor.member.text();
  at.row->digest = anchor->anchor.anchor.ToString();
  if (const absl::Status good = CheckAnchor(at, *anchor); !good.ok())
    return AddBad(at, good.message());
  links_.OnCreated(at.leaf, at.time, anchor->anchor.created);
}

absl::Status EventCheck::CheckAnchor(const Place& at,
                                     const SignedAnchor& anchor) const {
  if (network_.Charter() == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(CheckNet(anchor.anchor.network_id));
  ASSIGN_OR_RETURN(
      const SignerRecord signer,
      network_.keys().SignerAt(anchor.anchor.member, anchor.anchor.kid, at.leaf,
                               at.time));
  return VerifyAnchor(anchor, signer.key);
}

absl::Status EventCheck::CheckNet(const Digest& net) const {
  if (network_.Charter() != nullptr && net != network_.Charter()->network_id)
    return absl::PermissionDeniedError("it is of another network");
  return absl::OkStatus();
}

KeyLookup EventCheck::LookupAt(const Place& at,
                               std::optional<MemberId>& signer) const {
  return [this, at, &signer](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    ASSIGN_OR_RETURN(const SignerRecord record,
                     network_.keys().SignerAt(kid, at.leaf, at.time));
    signer = record.member;
    return record.key;
  };
}

void EventCheck::Judge(const Place& at, const ErasureEvent& event) {
  ++report_.counts.erasures;
  const absl::StatusOr<Erasure> erasure = PeekErasure(event.token);
  if (!erasure.ok()) return AddBad(at, "its erasure cannot be read");
  at.row->from = erasure->member.text();
  at.row->detail = absl::StrCat(erasure->leaves.size(), " opening(s)");
  if (network_.Charter() != nullptr) {
    std::optional<MemberId> signer;
    const absl::Status verified =
        VerifyErasure(event.token, LookupAt(at, signer)).status();
    if (!verified.ok()) return AddBad(at, verified.message());
    if (signer != erasure->member)
      return AddBad(at, "its signer is not the member that it names");
    if (const absl::Status net = CheckNet(erasure->net); !net.ok())
      return AddBad(at, net.message());
  }
  // A leaf after this one is not among the missing yet: nothing is erased in
  // advance.
  for (const LeafIndex leaf : erasure->leaves) openings_.Erased(leaf);
  erasures_.OnErasure(at.leaf, at.time, erasure->member,
                      erasure->authority == ErasureAuthority::kCaseOpener,
                      erasure->leaves);
}

void EventCheck::AddBad(const Place& at, absl::string_view why) {
  report_.Add(Step::kSignatures,
              {FindingCode::kBadSignature, at.leaf,
               absl::StrCat("the ", at.row->event, " of entry ",
                            at.leaf.value(), " is not valid there: ", why),
               "the signature over the opening's bytes, by a key that the log "
               "names before this entry"});
}

Finding EventCheck::LateFinding(const Place& at, const std::string& text) {
  return {FindingCode::kLate, at.leaf,
          absl::StrCat("the ", at.row->event, " of entry ", at.leaf.value(),
                       " ", text),
          ""};
}

void EventCheck::AddLate(const Place& at, const std::string& text) {
  report_.Add(Step::kSignatures, LateFinding(at, text));
}

}  // namespace amparo::auditor

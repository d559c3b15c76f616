// The part of EventCheck that judges what members anchor of their access logs.

#include "absl/strings/str_cat.h"
#include "agents/auditor/event_check.h"
#include "base/status.h"
#include "proto/envelope/access_origin.h"

namespace amparo::auditor {

void EventCheck::Judge(const Place& at, const AccessLogEvent& event) {
  ++report_.counts.access_logs;
  const absl::StatusOr<Checkpoint> checkpoint = PeekCheckpoint(event.note);
  if (!checkpoint.ok()) return AddBad(at, "its checkpoint cannot be read");
  const absl::StatusOr<AccessOrigin> origin =
      ParseAccessOrigin(checkpoint->origin);
  if (!origin.ok()) return AddBad(at, "its checkpoint names no member");
  const MemberId& member = origin->member;
  at.row->digest = checkpoint->root.ToString();
  at.row->detail = absl::StrCat("size ", checkpoint->size.value());
  // Anybody can write a name into a note: only its signature says whose it is.
  if (const absl::Status good = CheckAccessLog(at, member, event); !good.ok())
    return AddBad(at, absl::StrCat(good.message(),
                                   "; it names an access log, and says nothing "
                                   "about who brought it"));
  at.row->from = member.text();
  CompareAccessLog(at, member, *checkpoint);
  if (access_anchors_ != nullptr)
    access_anchors_({at.leaf, at.time, *checkpoint});
}

void EventCheck::CompareAccessLog(const Place& at, const MemberId& member,
                                  const Checkpoint& checkpoint) {
  const auto last = state_.access_logs.find(member);
  if (last != state_.access_logs.end() &&
      (checkpoint.size < last->second.size ||
       (checkpoint.size == last->second.size &&
        checkpoint.root != last->second.root))) {
    const std::optional<LeafIndex> alone = MadeAlone(network_.keys(), member);
    if (alone.has_value() && *alone > state_.access_leaves[member])
      report_.AddRestored({member.text(), at.leaf, last->second.size.value(),
                           checkpoint.size.value()});
    else
      report_.Add(Step::kSignatures,
                  {FindingCode::kInconsistent, at.leaf,
                   absl::StrCat("the access log of ", member.text(),
                                " was larger, or another, before entry ",
                                at.leaf.value()),
                   ""});
  }
  state_.access_logs.insert_or_assign(member, checkpoint);
  state_.access_leaves.insert_or_assign(member, at.leaf);
}

absl::Status EventCheck::CheckAccessLog(const Place& at, const MemberId& member,
                                        const AccessLogEvent& event) const {
  const AcceptedCharter* charter = network_.Charter();
  if (charter == nullptr) return absl::OkStatus();
  const std::optional<SignerRecord> signer =
      network_.keys().CurrentSigner(member);
  if (!signer.has_value())
    return absl::PermissionDeniedError("its member has no signing key");
  if (!network_.keys().standings().WasActive(member, at.leaf, at.time))
    return absl::PermissionDeniedError("its member was not active");
  ASSIGN_OR_RETURN(
      const NoteVerifier verifier,
      NoteVerifier::Create(FormatAccessOrigin(charter->charter.network, member),
                           NoteKeyType::kEd25519, signer->key));
  return VerifyCheckpoint(event.note, verifier).status();
}

}  // namespace amparo::auditor

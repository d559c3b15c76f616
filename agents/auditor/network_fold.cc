#include "agents/auditor/network_fold.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "proto/network/witnesses.h"

namespace amparo::auditor {
namespace {

bool IsAnswerAboutTheLog(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status);
}

void AddUnknown(const std::vector<NoteVerifier>& named,
                std::vector<NoteVerifier>& known) {
  for (const NoteVerifier& key : named)
    if (std::none_of(known.begin(), known.end(), [&](const NoteVerifier& one) {
          return one.ToString() == key.ToString();
        }))
      known.push_back(key);
}

}  // namespace

std::optional<LeafIndex> MadeAlone(const KeyDirectory& keys,
                                   const MemberId& member) {
  std::optional<LeafIndex> last;
  for (const SignerRecord& signer : keys.SignersOf(member))
    if (!signer.vouched_by.has_value()) last = signer.leaf;
  return last;
}

NetworkFold::NetworkFold(LeafSource& source, const std::optional<Digest>& root,
                         Report& report)
    : source_(source), root_(root), report_(report) {}

const AcceptedCharter* NetworkFold::Charter() const {
  return newest_.has_value() && !missing_at_.has_value() ? &*newest_ : nullptr;
}

std::string NetworkFold::WhyNone() const {
  if (missing_at_.has_value())
    return absl::StrCat("the charter of entry ", missing_at_->value(),
                        " is not there");
  return "the log has no charter";
}

absl::Status NetworkFold::OnCharter(LeafIndex leaf, absl::Time time,
                                    const CharterEntry& entry) {
  ++report_.counts.charters;
  if (missing_at_.has_value()) return absl::OkStatus();
  report_.Checked(Step::kCharterChain);
  const absl::StatusOr<std::string> document = source_.Document(entry.hash);
  if (!document.ok() && !IsAnswerAboutTheLog(document.status()))
    return document.status();
  if (!document.ok() || Sha256(*document) != entry.hash) {
    missing_at_ = leaf;
    Refuse(leaf, document.ok() ? "its document does not have the entry's hash"
                               : "its document is not there");
    return absl::OkStatus();
  }
  absl::StatusOr<AcceptedCharter> accepted =
      Judge(leaf, time, entry, *document);
  if (!accepted.ok()) {
    Refuse(leaf, accepted.status().message());
    return absl::OkStatus();
  }
  // Agents go by the document.
  if (accepted->charter.version != entry.version)
    Refuse(leaf, "its document is of another version");
  AddUnknown(accepted->charter.log_keys, log_keys_);
  AddUnknown(WitnessesOf(accepted->charter), witnesses_);
  keys_.SetCharter(*accepted, leaf);
  if (!newest_.has_value()) first_ = accepted->hash;
  newest_ = std::move(accepted).value();
  return absl::OkStatus();
}

absl::StatusOr<AcceptedCharter> NetworkFold::Judge(
    LeafIndex leaf, absl::Time time, const CharterEntry& entry,
    const std::string& document) const {
  if (!newest_.has_value()) {
    if (leaf.value() != 0)
      return absl::FailedPreconditionError("version 1 must be entry 0");
    return AcceptFirstCharter(document, root_.value_or(entry.hash), time);
  }
  if (entry.version <= newest_->charter.version)
    return absl::FailedPreconditionError(
        "the first entry of a version counts, and it has one");
  return AcceptNextCharter(document, *newest_, time);
}

void NetworkFold::Refuse(LeafIndex leaf, absl::string_view why) {
  report_.Add(Step::kCharterChain,
              {FindingCode::kBadCharter, leaf,
               absl::StrCat("the charter of entry ", leaf.value(),
                            " is refused: ", why),
               "amparo-charter verify, with the charters of documents/"});
}

void NetworkFold::OnKeyEvent(LeafIndex leaf, absl::Time time,
                             const KeyEventEntry& entry) {
  ++report_.counts.key_events;
  if (Charter() == nullptr) return report_.Skip(Step::kKeyEvents, WhyNone());
  report_.Checked(Step::kKeyEvents);
  const absl::Status applied = keys_.Apply(entry.document, leaf, time);
  if (applied.ok()) return;
  report_.Add(Step::kKeyEvents,
              {FindingCode::kBadKeyEvent, leaf,
               absl::StrCat("the key event of entry ", leaf.value(),
                            " does not count: ", applied.message()),
               "a JWS by the member's identity key, or by its signing key"});
}

void NetworkFold::OnSuspension(LeafIndex leaf, absl::Time time,
                               const SuspensionEntry& entry) {
  if (Charter() == nullptr) return;
  report_.Checked(Step::kCharterChain);
  const absl::Status applied = keys_.Suspend(entry.document, leaf, time);
  if (applied.ok()) return;
  report_.Add(Step::kCharterChain,
              {FindingCode::kBadCharter, leaf,
               absl::StrCat("the suspension of entry ", leaf.value(),
                            " does not count: ", applied.message()),
               "a JWS by two governance keys of different members"});
}

void NetworkFold::Finish() {
  if (!newest_.has_value() && !missing_at_.has_value())
    report_.Add(Step::kCharterChain,
                {FindingCode::kBadCharter, LeafIndex(0),
                 "entry 0 is not version 1 of the charter", ""});
  if (report_.counts.key_events == 0)
    report_.Skip(Step::kKeyEvents, "no key event to look at");
  if (!newest_.has_value()) return;
  report_.network = newest_->charter.network;
  report_.charter_version = newest_->charter.version;
}

}  // namespace amparo::auditor

#include "broker/core/whole_check.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "broker/core/start_guard.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"

namespace amparo::broker {
namespace {

absl::Status Wrong(LeafIndex leaf, absl::string_view what) {
  return MakeError(
      absl::StatusCode::kDataLoss,
      absl::StrCat("entry ", leaf.value(), ": ", what),
      {.code = "tampered", .field = absl::StrCat("entries/", leaf.value())});
}

absl::Status CheckRecord(const Store& store, const Opening& opening,
                         const EnvelopeEvent& event) {
  const auto header = DecodeHeader(event.header);
  if (!header.ok()) return Wrong(opening.leaf, "its envelope cannot be read");
  const auto record = store.FindEnvelope(opening.leaf);
  // Swept or erased this moment.
  if (!record.ok() && !store.GetOpening(opening.leaf).ok())
    return absl::OkStatus();
  if (!record.ok() ||
      record->digest != EnvelopeDigest(event.header, event.body) ||
      record->sender != header->sender ||
      record->recipient != header->recipient ||
      record->envelope_id != header->envelope_id)
    return Wrong(opening.leaf, "the record of its envelope is another's");
  return absl::OkStatus();
}

absl::Status CheckOpening(const Store& store, const Opening& opening,
                          WholeCheck& seen) {
  ASSIGN_OR_RETURN(const std::vector<Bytes> entries,
                   store.Entries(opening.leaf, 1));
  const auto entry =
      entries.empty()
          ? absl::StatusOr<LogEntry>(absl::NotFoundError("no entry"))
          : DecodeLogEntry(entries[0]);
  const auto* sealed =
      entry.ok() ? std::get_if<CommitmentEntry>(&entry->content) : nullptr;
  if (sealed == nullptr || opening.salt.size() != kSaltBytes ||
      LeafCommitment(opening.salt, opening.event) != sealed->commitment)
    return Wrong(opening.leaf, "its opening does not fit it");
  ++seen.openings;
  const auto event = DecodeAuditEvent(opening.event);
  if (!event.ok()) return Wrong(opening.leaf, "its event cannot be read");
  const auto* envelope = std::get_if<EnvelopeEvent>(&*event);
  if (envelope == nullptr) return absl::OkStatus();
  ++seen.envelopes;
  return CheckRecord(store, opening, *envelope);
}

absl::Status CheckOpenings(const Store& store, WholeCheck& seen) {
  LeafIndex from(0);
  const LeafIndex end(seen.size.value());
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<Opening> page,
                     store.Openings(from, end, kPageEntriesMax));
    if (page.empty()) return absl::OkStatus();
    for (const Opening& opening : page)
      RETURN_IF_ERROR(CheckOpening(store, opening, seen));
    from = LeafIndex(page.back().leaf.value() + 1);
  }
}

absl::Status CheckPublications(const Store& store, WholeCheck& seen) {
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<Publication> page,
                     store.Publications(seen.publications, 64));
    if (page.empty()) return absl::OkStatus();
    for (const Publication& one : page) {
      const auto* charter = std::get_if<CharterEntry>(&one.entry.content);
      if (charter != nullptr && Sha256(one.document) != charter->hash)
        return Wrong(one.leaf, "the charter beside it is another one");
    }
    seen.publications += page.size();
  }
}

}  // namespace

absl::StatusOr<WholeCheck> CheckWhole(const Store& store,
                                      const NoteVerifier& log,
                                      std::span<const std::string> known) {
  WholeCheck seen;
  const LogHead head = store.Head();
  seen.size = head.range.size();
  seen.root = head.range.Root();
  RETURN_IF_ERROR(CheckStart(store, log, known));
  RETURN_IF_ERROR(CheckWholeLog(store));
  RETURN_IF_ERROR(CheckOpenings(store, seen));
  RETURN_IF_ERROR(CheckPublications(store, seen));
  return seen;
}

}  // namespace amparo::broker

#include "broker/core/late_openings.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/tile.h"
#include "proto/envelope/access_origin.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/erasure.h"
#include "proto/envelope/recall.h"
#include "proto/envelope/receipt.h"

namespace amparo::broker {
namespace {

constexpr uint32_t kPage = 4096;

absl::Status ForEachOpening(
    const Store& store,
    const std::function<absl::Status(const Opening&)>& visit) {
  const LeafIndex end(store.Head().range.size().value());
  for (LeafIndex next(0);;) {
    ASSIGN_OR_RETURN(const std::vector<Opening> page,
                     store.Openings(next, end, kPage));
    for (const Opening& opening : page) RETURN_IF_ERROR(visit(opening));
    if (page.size() < kPage) return absl::OkStatus();
    next = LeafIndex(page.back().leaf.value() + 1);
  }
}

// Whom an event concerns. What ended an envelope's stay may name it by its
// digest alone, so envelopes are to be noted first.
class Concerned {
 public:
  using Members = std::vector<MemberId>;

  void Note(const AuditEvent& event) {
    const auto* envelope = std::get_if<EnvelopeEvent>(&event);
    if (envelope == nullptr) return;
    if (auto ends = By(*envelope); ends.ok())
      ends_[EnvelopeDigest(envelope->header, envelope->body)] =
          *std::move(ends);
  }

  // Any error: it names nobody.
  absl::StatusOr<Members> Of(const AuditEvent& event) const {
    return std::visit([this](const auto& said) { return By(said); }, event);
  }

 private:
  absl::StatusOr<Members> By(const EnvelopeEvent& said) const {
    ASSIGN_OR_RETURN(const Header header, DecodeHeader(said.header));
    return Members{header.sender, header.recipient};
  }
  absl::StatusOr<Members> By(const AnchorEvent& said) const {
    ASSIGN_OR_RETURN(const SignedAnchor anchor,
                     MakeSignedAnchor(said.anchor, said.signature));
    return Members{anchor.anchor.member};
  }
  absl::StatusOr<Members> By(const ReceiptEvent& said) const {
    ASSIGN_OR_RETURN(const Receipt receipt, PeekReceipt(said.token));
    return Members{receipt.issuer, receipt.audience};
  }
  absl::StatusOr<Members> By(const RecallEvent& said) const {
    ASSIGN_OR_RETURN(const Recall recall, PeekRecall(said.token));
    const auto ends = ends_.find(recall.digest);
    return ends == ends_.end() ? Members{recall.sender} : ends->second;
  }
  absl::StatusOr<Members> By(const ExpiryEvent& said) const {
    const auto ends = ends_.find(said.digest);
    if (ends == ends_.end())
      return absl::NotFoundError("the expiry of something lost");
    return ends->second;
  }
  absl::StatusOr<Members> By(const ErasureEvent& said) const {
    ASSIGN_OR_RETURN(const Erasure erasure, PeekErasure(said.token));
    return Members{erasure.member};
  }
  absl::StatusOr<Members> By(const AccessLogEvent& said) const {
    ASSIGN_OR_RETURN(const Checkpoint checkpoint, PeekCheckpoint(said.note));
    ASSIGN_OR_RETURN(AccessOrigin origin, ParseAccessOrigin(checkpoint.origin));
    return Members{std::move(origin.member)};
  }

  std::map<Digest, Members> ends_;
};

// Commitments in [from, end) that nothing opens.
absl::StatusOr<std::set<LeafIndex>> Unopened(const Store& store, LeafIndex from,
                                             LeafIndex end) {
  const auto count = static_cast<uint32_t>(end.value() - from.value());
  ASSIGN_OR_RETURN(const std::vector<Bytes> entries,
                   store.Entries(from, count));
  std::set<LeafIndex> unopened;
  for (uint64_t i = 0; i < entries.size(); ++i) {
    ASSIGN_OR_RETURN(const LogEntry entry, DecodeLogEntry(entries[i]));
    if (std::holds_alternative<CommitmentEntry>(entry.content))
      unopened.insert(LeafIndex(from.value() + i));
  }
  ASSIGN_OR_RETURN(const std::vector<Opening> openings,
                   store.Openings(from, end, count));
  for (const Opening& opening : openings) unopened.erase(opening.leaf);
  return unopened;
}

// By bundles, as mirrors hold them.
absl::Status ForEachUnopened(
    const Store& store, LeafIndex from,
    const std::function<absl::Status(uint64_t bundle, std::set<LeafIndex>)>&
        visit) {
  const uint64_t end = store.Head().range.size().value();
  for (uint64_t next = from.value(); next < end;) {
    const uint64_t bundle = next / kTileWidth;
    const uint64_t until = std::min(end, (bundle + 1) * kTileWidth);
    ASSIGN_OR_RETURN(std::set<LeafIndex> unopened,
                     Unopened(store, LeafIndex(next), LeafIndex(until)));
    if (!unopened.empty()) RETURN_IF_ERROR(visit(bundle, std::move(unopened)));
    next = until;
  }
  return absl::OkStatus();
}

absl::Status Named(const MirrorSource& mirror, const absl::Status& status) {
  if (!absl::IsNotFound(status) && !absl::IsInvalidArgument(status))
    return status;
  return MakeError(absl::StatusCode::kDataLoss,
                   absl::StrCat(mirror.name(), ": ", status.message(),
                                ": leave this mirror out"),
                   {.code = "tampered"});
}

// What cannot be read is not kept, as when it is appended.
absl::Status AddFrom(MirrorSource& mirror, uint64_t bundle,
                     Concerned& concerned, std::set<LeafIndex>& unopened,
                     Store& store) {
  auto lines = mirror.Openings(bundle);
  if (!lines.ok()) return Named(mirror, lines.status());
  std::vector<Opening> found;
  for (OpeningLine& line : *lines) {
    if (!unopened.contains(line.leaf)) continue;
    const auto event = DecodeAuditEvent(line.event);
    if (!event.ok()) continue;
    concerned.Note(*event);
    auto members = concerned.Of(*event);
    if (!members.ok()) continue;
    unopened.erase(line.leaf);
    found.push_back({line.leaf, *std::move(members), std::move(line.salt),
                     std::move(line.event)});
  }
  const absl::Status added = store.AddOpenings(found);
  return added.ok() ? added : Named(mirror, added);
}

}  // namespace

absl::Status AddLateOpenings(Store& store,
                             const std::vector<MirrorSource*>& mirrors,
                             LeafIndex from) {
  std::optional<Concerned> concerned;
  return ForEachUnopened(
      store, from,
      [&](uint64_t bundle, std::set<LeafIndex> unopened) -> absl::Status {
        if (!concerned) {
          concerned.emplace();
          RETURN_IF_ERROR(ForEachOpening(store, [&](const Opening& opening) {
            const auto event = DecodeAuditEvent(opening.event);
            if (event.ok()) concerned->Note(*event);
            return event.status();
          }));
        }
        for (MirrorSource* mirror : mirrors)
          RETURN_IF_ERROR(
              AddFrom(*mirror, bundle, *concerned, unopened, store));
        return absl::OkStatus();
      });
}

absl::StatusOr<uint64_t> CountUnopened(const Store& store, LeafIndex from) {
  std::set<LeafIndex> erased;
  RETURN_IF_ERROR(
      ForEachOpening(store, [&](const Opening& opening) -> absl::Status {
        ASSIGN_OR_RETURN(const AuditEvent event,
                         DecodeAuditEvent(opening.event));
        const auto* said = std::get_if<ErasureEvent>(&event);
        if (said == nullptr) return absl::OkStatus();
        ASSIGN_OR_RETURN(const Erasure erasure, PeekErasure(said->token));
        erased.insert(erasure.leaves.begin(), erasure.leaves.end());
        return absl::OkStatus();
      }));
  uint64_t count = 0;
  RETURN_IF_ERROR(ForEachUnopened(
      store, from, [&](uint64_t, const std::set<LeafIndex>& unopened) {
        count += std::count_if(
            unopened.begin(), unopened.end(),
            [&erased](LeafIndex leaf) { return !erased.contains(leaf); });
        return absl::OkStatus();
      }));
  return count;
}

}  // namespace amparo::broker

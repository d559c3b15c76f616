#include "broker/core/directory.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::broker {
namespace {

// A key must outlive the moment between the check and the leaf.
constexpr absl::Duration kCommitMargin = absl::Seconds(30);
// After every publication so far: where the next event will stand.
constexpr LeafIndex kNextLeaf(std::numeric_limits<uint64_t>::max());

absl::Status ApplyCharter(Network& network, const Publication& publication) {
  absl::StatusOr<AcceptedCharter> accepted =
      network.charter
          ? AcceptNextCharter(publication.document, *network.charter,
                              publication.entry.time)
          : AcceptFirstCharter(publication.document,
                               Sha256(publication.document),
                               publication.entry.time);
  RETURN_IF_ERROR(accepted.status());
  if (!network.charter) network.root = accepted->hash;
  network.versions[accepted->hash] = accepted->charter.version;
  network.charters.push_back({publication.leaf, accepted->hash});
  network.keys.SetCharter(*accepted, publication.leaf);
  network.charter = std::move(accepted).value();
  return absl::OkStatus();
}

absl::Status ApplyTo(Network& network, const Publication& publication) {
  ++network.publications;
  const auto& content = publication.entry.content;
  if (std::holds_alternative<CharterEntry>(content))
    return ApplyCharter(network, publication);
  if (const auto* event = std::get_if<KeyEventEntry>(&content))
    return network.keys.Apply(event->document, publication.leaf,
                              publication.entry.time);
  if (const auto* suspension = std::get_if<SuspensionEntry>(&content))
    return network.keys.Suspend(suspension->document, publication.leaf,
                                publication.entry.time);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<const Member*> Network::Active(const MemberId& id,
                                              absl::Time now) const {
  const Member* const member = charter ? charter->charter.Find(id) : nullptr;
  if (member == nullptr)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "not a member of the network", {.code = "unknown_member"});
  if (member->status != MemberStatus::kActive)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "the member is not active", {.code = "member_suspended"});
  if (const auto until = keys.standings().SuspendedUntil(id, now))
    return MakeError(
        absl::StatusCode::kPermissionDenied,
        absl::StrCat("the member is suspended until ", FormatUtc(*until)),
        {.code = "member_suspended"});
  return member;
}

KeyLookup Network::SignerLookup(const MemberId& member, absl::Time now) const {
  return [this, member, now](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    ASSIGN_OR_RETURN(const SignerRecord signer,
                     keys.SignerAt(member, kid, kNextLeaf, now));
    RETURN_IF_ERROR(
        keys.SignerAt(member, kid, kNextLeaf, now + kCommitMargin).status());
    return signer.key;
  };
}

Directory::Directory() : current_(std::make_shared<const Network>()) {}

absl::StatusOr<std::unique_ptr<Directory>> Directory::Load(const Store& store) {
  Network network;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<Publication> page,
                     store.Publications(network.publications, kPageEntriesMax));
    if (page.empty()) break;
    for (const Publication& publication : page) {
      const absl::Status status = ApplyTo(network, publication);
      if (!status.ok() &&
          std::holds_alternative<CharterEntry>(publication.entry.content))
        return MakeError(absl::StatusCode::kDataLoss,
                         "a stored charter does not follow the one before",
                         {.code = "tampered"});
    }
  }
  std::unique_ptr<Directory> directory(new Directory());
  MutexLock lock(directory->mutex_);
  directory->current_ = std::make_shared<const Network>(std::move(network));
  return directory;
}

std::shared_ptr<const Network> Directory::Current() const {
  MutexLock lock(mutex_);
  return current_;
}

absl::Status Directory::Apply(const Publication& publication) {
  auto next = std::make_shared<Network>(*Current());
  const absl::Status status = ApplyTo(*next, publication);
  if (!status.ok())
    LogEvent(EventLevel::kError, "publication_ignored",
             {{"leaf", publication.leaf}});
  MutexLock lock(mutex_);
  current_ = std::move(next);
  return status;
}

}  // namespace amparo::broker

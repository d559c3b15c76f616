#include "agents/institution/core/heartbeats.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "proto/content/event_document.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

// Times in Unix seconds: of the last mail that was no link event, either way;
// of the last that was sent, whatever it was.
constexpr char kContactPrefix[] = "peer/contact/";
constexpr char kSentPrefix[] = "peer/sent/";

void PutTime(absl::string_view prefix, const MemberId& peer, absl::Time at,
             Batch& rows) {
  Bytes row;
  AppendU64(row, static_cast<uint64_t>(UnixSeconds(at)));
  rows.Put(absl::StrCat(prefix, peer.text()), row);
}

absl::Time ReadTime(ByteView row) {
  return row.size() == 8 ? TimeFromUnix(static_cast<int64_t>(ReadU64(row)))
                         : absl::UnixEpoch();
}

// A time to come was written by a clock that was wrong.
bool IsWithin(absl::Duration span, absl::Time at, absl::Time now) {
  return at <= now && now - at < span;
}

}  // namespace

void Heartbeats::NoteSent(const MemberId& to, EventKind kind,
                          Batch& rows) const {
  const absl::Time now = books_.clock.Now();
  PutTime(kSentPrefix, to, now, rows);
  if (!IsLinkEvent(kind)) PutTime(kContactPrefix, to, now, rows);
}

void Heartbeats::NoteReceived(const MemberId& from, EventKind kind,
                              Batch& rows) const {
  if (!IsLinkEvent(kind))
    PutTime(kContactPrefix, from, books_.clock.Now(), rows);
}

absl::StatusOr<std::vector<MemberId>> Heartbeats::Due() const {
  const absl::Time now = books_.clock.Now();
  std::vector<MemberId> due;
  RETURN_IF_ERROR(books_.kv.Scan(
      kContactPrefix, "", [&](absl::string_view key, ByteView row) {
        key.remove_prefix(sizeof(kContactPrefix) - 1);
        auto peer = MemberId::Parse(key);
        if (peer.ok() && IsWithin(kHeartbeatContact, ReadTime(row), now))
          due.push_back(*std::move(peer));
        return true;
      }));
  std::erase_if(due, [&](const MemberId& peer) {
    const auto sent = books_.kv.Get(absl::StrCat(kSentPrefix, peer.text()));
    return sent.ok() && IsWithin(kHeartbeatEvery, ReadTime(*sent), now);
  });
  return due;
}

absl::StatusOr<bool> Heartbeats::Beat() const {
  ASSIGN_OR_RETURN(const std::vector<MemberId> due, Due());
  if (due.empty()) return false;
  const auto signer = books_.keys.Signer();
  if (!signer.ok()) return false;  // no key in force: nothing leaves
  // What waits for them says as much when it leaves.
  std::set<MemberId> waited_for;
  ASSIGN_OR_RETURN(const std::vector<Draft> drafts, books_.outbox.Drafts());
  for (const Draft& draft : drafts) waited_for.insert(draft.recipient);
  const absl::Time now = books_.clock.Now();
  Batch rows;
  for (const MemberId& peer : due) {
    if (waited_for.contains(peer) || !books_.peers.PrekeyFor(peer, now).ok())
      continue;
    const EventId id = EventId::New();
    ASSIGN_OR_RETURN(
        std::string document,
        SignEvent(EventDocument{.net = books_.peers.Now()->charter.network_id,
                                .issuer = books_.keys.self(),
                                .at = now,
                                .event_id = id,
                                .kind = EventKind::kHeartbeat},
                  *signer));
    books_.outbox.Add(Draft{.recipient = peer,
                            .kind = EventKind::kHeartbeat,
                            .event_id = id,
                            .document = std::move(document)},
                      rows);
    // Though the broker may refuse it: once a day is enough.
    PutTime(kSentPrefix, peer, now, rows);
  }
  if (rows.empty()) return false;
  RETURN_IF_ERROR(books_.kv.Write(rows));
  return true;
}

}  // namespace amparo::agent

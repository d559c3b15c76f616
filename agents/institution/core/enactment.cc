#include "agents/institution/core/enactment.h"

#include <utility>

#include "agents/institution/core/log_rows.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/network/key_event.h"
#include "proto/network/suspension.h"

namespace amparo::agent {

absl::Status Enactment::Provide(const LogEntry& entry, Batch& rows) const {
  const auto* charter = std::get_if<CharterEntry>(&entry.content);
  if (charter == nullptr || kv_.Get(CharterRowKey(charter->hash)).ok())
    return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string document,
                   broker_.GetDocument(charter->hash));
  if (Sha256(document) != charter->hash)
    return MakeError(absl::StatusCode::kDataLoss,
                     "the broker serves another charter than the log names",
                     {.code = "tampered"});
  rows.Put(CharterRowKey(charter->hash), AsBytes(document));
  return absl::OkStatus();
}

absl::Status Enactment::Enact(const OpenEntry& open, bool again, Peers& peers) {
  if (const auto* event = std::get_if<KeyEventEntry>(&open.entry.content))
    EnactKeyEvent(open, *event, again, peers);
  if (const auto* suspension =
          std::get_if<SuspensionEntry>(&open.entry.content))
    EnactSuspension(open, suspension->document, again, peers);
  if (const auto* charter = std::get_if<CharterEntry>(&open.entry.content))
    return EnactCharter(open, *charter, again, peers);
  return absl::OkStatus();
}

// What the directory refuses counts for nobody; it stays as evidence.
void Enactment::EnactKeyEvent(const OpenEntry& open, const KeyEventEntry& event,
                              bool again, Peers& peers) {
  const absl::Status applied =
      peers.keys.Apply(event.document, open.leaf, open.entry.time, open.since);
  if (!absl::IsDataLoss(applied) || again) return;
  const auto seen = PeekKeyEvent(event.document);
  if (seen.ok())
    alarms_.Raise("keys_frozen", seen->member, clock_.Now(),
                  AsBytes(event.document));
}

// By two governance keys. What is refused counts for nobody; it stays in the
// log as evidence.
void Enactment::EnactSuspension(const OpenEntry& open,
                                const std::string& document, bool again,
                                Peers& peers) {
  const absl::Status applied =
      peers.keys.Suspend(document, open.leaf, open.entry.time);
  if (again) return;
  if (!applied.ok()) {
    LogEvent(EventLevel::kError, "suspension_refused", {{"leaf", open.leaf}});
    return;
  }
  LogEvent(EventLevel::kWarning, "suspension_accepted", {{"leaf", open.leaf}});
  const auto said = PeekSuspension(document);
  if (said.ok())
    alarms_.Raise("suspended", said->member, clock_.Now(), AsBytes(document));
}

absl::Status Enactment::EnactCharter(const OpenEntry& open,
                                     const CharterEntry& charter, bool again,
                                     Peers& peers) {
  const uint64_t current = peers.charter.charter.version;
  if (charter.version <= current) {
    // The first leaf of a version counts.
    if (charter.version == current && charter.hash != peers.charter.hash &&
        !again)
      alarms_.Raise("charter_fork", std::nullopt, clock_.Now(),
                    charter.hash.bytes());
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const Bytes stored, kv_.Get(CharterRowKey(charter.hash)));
  const std::string document = ToText(stored);
  auto next = AcceptNextCharter(document, peers.charter, open.entry.time);
  if (!next.ok()) {
    if (!again)
      alarms_.Raise("bad_charter", std::nullopt, clock_.Now(),
                    charter.hash.bytes());
    return absl::OkStatus();  // the charter in force stays in force
  }
  peers.charter = *std::move(next);
  peers.charter_logged = open.entry.time;
  peers.keys.SetCharter(peers.charter, open.leaf);
  if (!again) alarms_.Settle("bad_charter", std::nullopt);
  LogEvent("charter_accepted", {{"version", peers.charter.charter.version}});
  return absl::OkStatus();
}

// A new identity key ends a freeze; the log's time, or a charter, a suspension.
void Enactment::SettleEnded(const Peers& peers) {
  for (const AlarmRecord& alarm : alarms_.List()) {
    if (!alarm.member) continue;
    if (alarm.code == "keys_frozen" && !peers.keys.IsFrozen(*alarm.member))
      alarms_.Settle("keys_frozen", alarm.member);
    if (alarm.code == "suspended" && !peers.keys.standings().SuspendedUntil(
                                         *alarm.member, peers.newest_entry))
      alarms_.Settle("suspended", alarm.member);
  }
}

}  // namespace amparo::agent

#include "agents/institution/core/own_name_watch.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/network/key_event.h"

namespace amparo::agent {
namespace {

constexpr char kAlarm[] = "own_key";
// What rang before, and does not ring again.
constexpr char kSeenPrefix[] = "own-name/seen/";

std::string Named(const char* what, const Digest& id) {
  return absl::StrCat(what, "/", ToHex(id.bytes()));
}

}  // namespace

// A key may end by an order given here, by a new key of this agent that nobody
// vouches for, or because the charter took the identity away.
bool OwnNameWatch::IsExplained(const SignerRecord& revoked,
                               const std::vector<SignerRecord>& signers) const {
  if (keys_.RevokedHereAt(revoked.key.Thumbprint())) return true;
  if (std::any_of(signers.begin(), signers.end(), [&](const SignerRecord& s) {
        return s.leaf == *revoked.revoked_at;
      }))
    return true;  // if that one is a stranger's, it rings itself
  const auto entry = log_.EntryAt(*revoked.revoked_at);
  return entry.ok() && std::holds_alternative<CharterEntry>(entry->content);
}

// The keys as they will be when all that waits has its quorum: as long as it
// waits, there is time to do something.
absl::StatusOr<KeyDirectory> OwnNameWatch::Foreseen(const Peers& peers) const {
  KeyDirectory keys = peers.keys;
  RETURN_IF_ERROR(log_.ForEachWaiting(peers, [&](const OpenEntry& open) {
    const auto* event = std::get_if<KeyEventEntry>(&open.entry.content);
    if (event == nullptr) return true;
    const auto about = PeekKeyEvent(event->document);
    if (about.ok() && about->member == keys_.self())
      keys.Apply(event->document, open.leaf, open.entry.time, open.since)
          .IgnoreError();  // what the directory refuses counts for nobody
    return true;
  }));
  return keys;
}

// From the first key on that this store made: what was before is of an agent
// whose disk is lost, and that key, by I alone, ended it.
std::vector<OwnNameWatch::Finding> OwnNameWatch::Findings(
    const KeyDirectory& keys) const {
  std::vector<Finding> findings;
  const auto signers = keys.SignersOf(keys_.self());
  const auto first = std::find_if(signers.begin(), signers.end(),
                                  [&](const SignerRecord& signer) {
                                    return keys_.IsOwn(signer.key.Thumbprint());
                                  });
  if (first == signers.end()) return findings;
  for (const SignerRecord& signer : signers) {
    if (signer.leaf < first->leaf) continue;
    const Digest kid = signer.key.Thumbprint();
    if (!keys_.IsOwn(kid))
      findings.push_back(
          {Named("key", kid), signer.leaf, !signer.revoked_at.has_value()});
    else if (signer.revoked_at && !IsExplained(signer, signers))
      findings.push_back({Named("end", kid), *signer.revoked_at, false});
  }
  for (const PrekeyRecord& prekey : keys.Prekeys(keys_.self()))
    if (prekey.leaf > first->leaf && !keys_.IsOwn(prekey.key.Id()))
      findings.push_back({Named("prekey", prekey.key.Id()), prekey.leaf, true});
  return findings;
}

bool OwnNameWatch::RevokedSince(const Peers& peers, absl::Time since) const {
  const auto signers = peers.keys.SignersOf(keys_.self());
  return std::any_of(
      signers.begin(), signers.end(), [&](const SignerRecord& s) {
        const auto ordered = keys_.RevokedHereAt(s.key.Thumbprint());
        return s.revoked_at && ordered && *ordered >= since;
      });
}

absl::Status OwnNameWatch::Look() {
  const auto peers = peers_.Now();
  ASSIGN_OR_RETURN(const KeyDirectory keys, Foreseen(*peers));
  const std::vector<Finding> findings = Findings(keys);
  for (const Finding& finding : findings) {
    const std::string row = kSeenPrefix + finding.id;
    if (kv_.Get(row).ok()) continue;
    ASSIGN_OR_RETURN(const LogEntry entry, log_.EntryAt(finding.leaf));
    const auto* event = std::get_if<KeyEventEntry>(&entry.content);
    LogEvent(EventLevel::kWarning, "foreign_key_event",
             {{"leaf", finding.leaf}});
    alarms_.Raise("own_key", std::nullopt, clock_.Now(),
                  event == nullptr ? ByteView() : AsBytes(event->document));
    // After it rang: what is cut off in between rings again.
    Batch batch;
    batch.Put(row, {});
    RETURN_IF_ERROR(kv_.Write(batch));
  }
  for (const AlarmRecord& alarm : alarms_.List())
    if (alarm.code == kAlarm && RevokedSince(*peers, alarm.since) &&
        std::none_of(findings.begin(), findings.end(),
                     [](const Finding& f) { return f.in_force; }))
      alarms_.Settle(kAlarm, alarm.member);
  return absl::OkStatus();
}

}  // namespace amparo::agent

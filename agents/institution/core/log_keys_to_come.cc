// The part of LogWatch that finds its way to a log under a new key.

#include <algorithm>
#include <utility>

#include "agents/institution/core/log_rows.h"
#include "agents/institution/core/log_watch.h"
#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/network/charter.h"

namespace amparo::agent {
namespace {

// The charters that follow the one in force, as the log tells them.
class Chain {
 public:
  explicit Chain(AcceptedCharter first) : newest_(std::move(first)) {}

  bool Wants(const CharterEntry& entry) const {
    return entry.version == newest_.charter.version + 1;
  }
  // What the committee did not sign changes nothing.
  void Add(const std::string& document, absl::Time logged) {
    auto next = AcceptNextCharter(document, newest_, logged);
    if (next.ok()) newest_ = *std::move(next);
  }
  const Charter& newest() const { return newest_.charter; }

 private:
  AcceptedCharter newest_;
};

}  // namespace

absl::Status LogWatch::LearnLogKeys(const std::string& note) {
  ASSIGN_OR_RETURN(const Checkpoint shown, PeekCheckpoint(note));
  const auto peers = peers_.Now();
  Chain chain(peers->charter);
  RETURN_IF_ERROR(ForEachWaiting(*peers, [&](const OpenEntry& open) {
    const auto* charter = std::get_if<CharterEntry>(&open.entry.content);
    if (charter == nullptr || !chain.Wants(*charter)) return true;
    if (const auto stored = kv_.Get(CharterRowKey(charter->hash)); stored.ok())
      chain.Add(ToText(*stored), open.entry.time);
    return true;
  }));
  // Nothing of it is kept before its signature holds.
  CompactRange range;
  {
    MutexLock lock(mutex_);
    range = range_;
  }
  while (range.size() < shown.size) {
    const uint64_t missing = shown.size.value() - range.size().value();
    ASSIGN_OR_RETURN(
        const std::vector<Bytes> entries,
        broker_.GetEntries(LeafIndex(range.size().value()),
                           static_cast<uint32_t>(
                               std::min<uint64_t>(missing, kPageEntriesMax))));
    if (entries.empty() || entries.size() > missing)
      return absl::UnavailableError("the broker does not serve its log");
    for (const Bytes& bytes : entries) {
      ASSIGN_OR_RETURN(const LogEntry entry, DecodeLogEntry(bytes));
      range.Append(LeafHash(bytes));
      const auto* charter = std::get_if<CharterEntry>(&entry.content);
      if (charter == nullptr || !chain.Wants(*charter)) continue;
      ASSIGN_OR_RETURN(const std::string document,
                       broker_.GetDocument(charter->hash));
      chain.Add(document, entry.time);
    }
  }
  const std::vector<NoteVerifier>& keys = chain.newest().log_keys;
  const bool named =
      std::any_of(keys.begin(), keys.end(), [&](const NoteVerifier& key) {
        return VerifyCheckpoint(note, key).ok();
      });
  if (!named || range.Root() != shown.root)
    return absl::PermissionDeniedError(
        "no log key that the committee named signed it");
  to_come_ = chain.newest();
  return absl::OkStatus();
}

}  // namespace amparo::agent

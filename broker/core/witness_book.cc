#include "broker/core/witness_book.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "proto/envelope/limits.h"
#include "proto/network/witnesses.h"

namespace amparo::broker {
namespace {

// Witnesses that are slower than so many checkpoints cosign the next one.
constexpr size_t kRoundsMax = 64;
// Agents cosign a checkpoint again when theirs is that old.
constexpr absl::Duration kCosignAgain = absl::Minutes(30);
// No prekey's grace looks further back.
constexpr absl::Duration kSinceKept = absl::Hours(2);

TreeSize SizeOf(const Note& note) {
  const auto checkpoint = ParseCheckpoint(note.text);
  return checkpoint.ok() ? checkpoint->size : TreeSize(0);
}

}  // namespace

WitnessBook::WitnessBook(Store& store, const Directory& directory,
                         InboxFeed& watchers, const Clock& clock)
    : store_(store), directory_(directory), watchers_(watchers), clock_(clock) {
  ReadCharters();
  MutexLock lock(mutex_);
  // Where agents stood when the broker ended.
  while (charters_.size() > 1 &&
         (charters_.front().charter.witness_quorum == 0 ||
          store_.WitnessedCharter(charters_[1].charter.version).ok()))
    charters_.pop_front();
  const auto stored = store_.NewestWitnessed();
  if (!stored.ok()) return;
  const auto note = ParseNote(*stored);
  if (!note.ok()) return;
  newest_ = {*stored, SizeOf(*note), 1};
  // A log that was rebuilt may lack the note under which a charter came into
  // force. A quorum of its own is as good a sign: it takes witnesses that have
  // it in force, and those of before may be no more.
  for (size_t i = charters_.size(); i-- > 1;) {
    if (charters_[i].leaf.value() >= newest_.size.value() ||
        !QuorumTime(*note, charters_[i].charter))
      continue;
    charters_.erase(charters_.begin(),
                    charters_.begin() + static_cast<ptrdiff_t>(i));
    break;
  }
  since_.emplace_back(newest_.size, absl::InfinitePast());  // long ago
}

// What was logged since the last time.
void WitnessBook::ReadCharters() {
  const std::shared_ptr<const Network> network = directory_.Current();
  size_t read;
  {
    MutexLock lock(mutex_);
    read = charters_read_;
  }
  for (; read < network->charters.size(); ++read) {
    const LoggedCharter& logged = network->charters[read];
    const auto document = store_.Document(logged.hash);
    if (!document.ok()) return;
    auto charter = PeekCharter(*document);
    if (!charter.ok()) return;
    auto witnesses = WitnessesOf(*charter);
    MutexLock lock(mutex_);
    if (charters_read_ != read) return;  // another thread does the same
    charters_.push_back(
        {logged.leaf, *std::move(charter), std::move(witnesses)});
    ++charters_read_;
  }
}

void WitnessBook::Show(const std::string& note) {
  auto parsed = ParseNote(note);
  if (!parsed.ok()) return;
  const TreeSize size = SizeOf(*parsed);
  ReadCharters();
  const absl::Time now = clock_.Now();
  MutexLock lock(mutex_);
  Round& round = rounds_[size];
  if (round.note.text == parsed->text) {
    std::erase_if(round.cosigners, [&](const auto& cosigner) {
      return absl::AbsDuration(now - cosigner.second.at) >= kCosignAgain;
    });
  } else {
    round.cosigners.clear();
  }
  round.note = *std::move(parsed);
  round.satisfied = 0;
  while (rounds_.size() > kRoundsMax) rounds_.erase(rounds_.begin());
}

absl::Status WitnessBook::Add(const MemberId& witness, TreeSize size,
                              ByteView cosignature) {
  std::vector<NoteVerifier> candidates;
  if (const auto network = directory_.Current(); network->charter) {
    const std::string name =
        WitnessName(network->charter->charter.network, witness);
    MutexLock lock(mutex_);
    for (const Logged& logged : charters_)
      for (const NoteVerifier& verifier : logged.witnesses)
        if (verifier.name() == name) candidates.push_back(verifier);
  }
  return Take(candidates, size, cosignature);
}

absl::Status WitnessBook::AddOutside(const NoteSignature& cosignature,
                                     TreeSize size) {
  std::vector<NoteVerifier> candidates;
  {
    MutexLock lock(mutex_);
    for (const Logged& logged : charters_)
      for (const NoteVerifier& verifier : logged.charter.outside_witnesses)
        if (verifier.name() == cosignature.name &&
            verifier.key_hash() == cosignature.key_hash)
          candidates.push_back(verifier);
  }
  return Take(candidates, size, cosignature.signature);
}

bool WitnessBook::KnowsOutsider(absl::string_view name) const {
  MutexLock lock(mutex_);
  for (const Logged& logged : charters_)
    for (const NoteVerifier& verifier : logged.charter.outside_witnesses)
      if (verifier.name() == name) return true;
  return false;
}

// What is waited for at `size` takes a cosignature by one of `candidates`.
absl::Status WitnessBook::Take(const std::vector<NoteVerifier>& candidates,
                               TreeSize size, ByteView cosignature) {
  std::string text;
  {
    MutexLock lock(mutex_);
    const auto round = rounds_.find(size);
    if (round != rounds_.end()) text = round->second.note.text;
  }
  if (text.empty())
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "no cosignature is waited for at this size",
                     {.code = "invalid_state", .field = "tree_size"});
  std::optional<Cosigned> cosigned;
  for (const NoteVerifier& verifier : candidates) {
    NoteSignature signature{verifier.name(), verifier.key_hash(),
                            ToBytes(cosignature)};
    const auto at = VerifyCosignature({text, {signature}}, verifier);
    if (at.ok()) cosigned = Cosigned{std::move(signature), *at};
  }
  if (!cosigned)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "not a cosignature of a witness of this network",
                     {.code = "verification_failed", .field = "cosignature"});
  // One of these clocks is wrong, and nobody is to believe in that time.
  if (absl::AbsDuration(cosigned->at - clock_.Now()) > kClockStop)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "the cosignature's time is over an hour from this clock",
                     {.code = "invalid_state", .field = "cosignature"});
  ReadCharters();  // one may have been logged right before it was shown
  {
    MutexLock lock(mutex_);
    const auto round = rounds_.find(size);
    if (round == rounds_.end() || round->second.note.text != text)
      return absl::OkStatus();  // a newer one was witnessed meanwhile
    auto key =
        std::make_pair(cosigned->signature.name, cosigned->signature.key_hash);
    round->second.cosigners.insert_or_assign(std::move(key),
                                             *std::move(cosigned));
    if (auto outcome = Conclude(size, round->second))
      waiting_.push_back(*std::move(outcome));
  }
  return PublishWaiting();
}

bool WitnessBook::HasQuorum(const Round& round, const Logged& logged) {
  const auto cosigned = std::count_if(
      logged.witnesses.begin(), logged.witnesses.end(),
      [&](const NoteVerifier& witness) {
        return round.cosigners.contains({witness.name(), witness.key_hash()});
      });
  return cosigned >= static_cast<int64_t>(logged.charter.witness_quorum);
}

// What agents will make of `round`: it holds under the charter that they have
// in force, and then each further one below its size comes into force, as long
// as its own quorum is there, too.
std::optional<WitnessBook::Outcome> WitnessBook::Conclude(TreeSize size,
                                                          Round& round) {
  Outcome outcome{"", size, {}};
  uint64_t satisfied = 0;
  size_t front = 0;  // the charter in force by it
  while (front < charters_.size() && HasQuorum(round, charters_[front])) {
    const uint64_t version = charters_[front].charter.version;
    if (charters_[front].charter.witness_quorum > 0) satisfied = version;
    if (front + 1 == charters_.size() ||
        charters_[front + 1].leaf.value() >= size.value())
      break;
    ++front;
    if (satisfied == version)
      outcome.versions.push_back(charters_[front].charter.version);
  }
  const TreeSize last = waiting_.empty() ? newest_.size : waiting_.back().size;
  const bool news = satisfied > round.satisfied || !outcome.versions.empty();
  if (satisfied > 0 && (!news || size < last)) return std::nullopt;
  charters_.erase(charters_.begin(),
                  charters_.begin() + static_cast<ptrdiff_t>(front));
  if (satisfied == 0) return std::nullopt;  // no quorum, or none asked for
  round.satisfied = satisfied;
  Note note = round.note;
  for (const auto& [who, cosigned] : round.cosigners)
    note.signatures.push_back(cosigned.signature);
  outcome.note = FormatNote(note);
  rounds_.erase(rounds_.begin(), rounds_.find(size));
  return outcome;
}

// Stored first: what agents were shown must be there for those that come later.
// In the order in which it was concluded; what could not be stored is tried
// again with the next cosignature, as no later note can bring a charter into
// force that this one did.
absl::Status WitnessBook::PublishWaiting() {
  while (true) {
    Outcome outcome;
    {
      MutexLock lock(mutex_);
      if (publishing_ || waiting_.empty()) return absl::OkStatus();
      publishing_ = true;
      outcome = waiting_.front();
    }
    const absl::Status stored =
        store_.PutWitnessed(outcome.size, outcome.note, outcome.versions);
    if (stored.ok() && !outcome.versions.empty())
      LogEvent("charter_witnessed", {{"version", outcome.versions.back()}});
    {
      MutexLock lock(mutex_);
      publishing_ = false;
      if (!stored.ok()) return stored;
      waiting_.pop_front();
      Shown(std::move(outcome));
    }
    watchers_.NotifyAll();
  }
}

void WitnessBook::Shown(Outcome outcome) {
  const absl::Time now = clock_.Now();
  if (outcome.size > newest_.size) since_.emplace_back(outcome.size, now);
  while (since_.size() > 1 && since_[1].second < now - kSinceKept)
    since_.pop_front();
  newest_ = {std::move(outcome.note), outcome.size, newest_.showing + 1};
}

WitnessBook::Newest WitnessBook::newest() const {
  MutexLock lock(mutex_);
  if (!charters_.empty() && charters_.front().charter.witness_quorum == 0)
    return {"", TreeSize(0), newest_.showing};
  return newest_;
}

absl::StatusOr<std::string> WitnessBook::ForCharter(uint64_t version) const {
  auto note = store_.WitnessedCharter(version);
  if (!absl::IsNotFound(note.status())) return note;
  return MakeError(absl::StatusCode::kNotFound,
                   "no quorum brought this charter into force",
                   {.code = "not_found"});
}

absl::Time WitnessBook::CountsFrom(LeafIndex leaf, absl::Time logged_at) const {
  MutexLock lock(mutex_);
  // What was before the charter in force took effect before it.
  if (charters_.empty() || charters_.front().charter.witness_quorum == 0 ||
      leaf < charters_.front().leaf)
    return logged_at;
  if (leaf.value() >= newest_.size.value()) return absl::InfiniteFuture();
  for (const auto& [size, at] : since_)
    if (leaf.value() < size.value()) return std::max(logged_at, at);
  return logged_at;
}

}  // namespace amparo::broker

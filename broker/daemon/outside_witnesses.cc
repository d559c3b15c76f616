#include "broker/daemon/outside_witnesses.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/pacer.h"
#include "base/status.h"
#include "broker/core/outside_witness.h"
#include "proto/http/http_client.h"

namespace amparo::broker {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(500);
// While the log grows, witnesses meet at one checkpoint in so many seconds: who
// chose for themselves might never make a quorum of the same.
constexpr absl::Duration kTargetEvery = absl::Seconds(3);

absl::string_view TextOf(const std::string& note) {
  return absl::string_view(note).substr(0, note.find("\n\n"));
}

}  // namespace

// In the order in which they refer to each other.
struct OutsideWitnesses::One {
  One(int number, const OutsideAddress& address, const std::string& ca_file,
      const Store& store, WitnessBook& book, const Clock& clock)
      : url(absl::StrCat(address.url, "/add-checkpoint")),
        client(ca_file, HttpClient::Limits()),
        witness(
            number, address.name,
            [this](const std::string& body) { return Post(body); }, store, book,
            clock) {}

  absl::StatusOr<OutsideWitness::Answer> Post(const std::string& body) {
    ASSIGN_OR_RETURN(HttpClient::Answer answer, client.Post(url, body));
    return OutsideWitness::Answer{answer.status, std::move(answer.body)};
  }

  const std::string url;
  HttpClient client;
  OutsideWitness witness;
  std::unique_ptr<Pacer> pacer;
};

OutsideWitnesses::OutsideWitnesses(const BrokerConfig& config,
                                   const Store& store,
                                   const Checkpointer& checkpointer,
                                   WitnessBook& book, const Clock& clock)
    : checkpointer_(checkpointer), clock_(clock) {
  int number = 0;
  for (const OutsideAddress& address : config.outside_witnesses)
    all_.push_back(std::make_unique<One>(
        ++number, address, config.witness_ca_file, store, book, clock));
  for (const auto& one : all_)
    one->pacer = std::make_unique<Pacer>(
        kLookEvery, [this, &one = *one] { one.witness.Step(Target()); });
}

OutsideWitnesses::~OutsideWitnesses() {
  for (const auto& one : all_) one->client.Stop();
  for (const auto& one : all_) one->pacer.reset();
}

std::string OutsideWitnesses::Target() {
  auto newest = checkpointer_.NewestNow();
  if (!newest.ok()) return "";
  const absl::Time now = clock_.Now();
  MutexLock lock(mutex_);
  if (TextOf(newest->note) != TextOf(target_)) {
    if (absl::AbsDuration(now - targeted_at_) < kTargetEvery) return target_;
    targeted_at_ = now;
  }
  target_ = std::move(newest->note);
  return target_;
}

OutsideWitnesses::Counts OutsideWitnesses::Count() const {
  Counts counts;
  for (const auto& one : all_) {
    if (one->witness.IsWanted()) ++counts.wanted;
    if (one->witness.IsSilent()) ++counts.silent;
  }
  return counts;
}

}  // namespace amparo::broker

#include <benchmark/benchmark.h>

#include "absl/time/clock.h"
#include "broker/store/rocks_store.h"
#include "crypto/random.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_member.h"

namespace amparo::broker {
namespace {

// One synced commit of so many envelopes of 4 KiB, in RocksDB.
void BM_StoreCommit(benchmark::State& state) {
  const size_t batch = static_cast<size_t>(state.range(0));
  const ScratchFolder folder;
  const auto store = VALUE_OF(OpenRocksStore(folder / "store"));
  TestMember sender("ong", MemberKind::kVictimSupport);
  TestMember recipient("uls", MemberKind::kHealth);
  AcceptedCharter charter;
  recipient.NewPrekey(charter, absl::Now());
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<Op> ops(batch);
    for (Op& op : ops) {
      const auto envelope = std::make_shared<const Envelope>(
          sender.EnvelopeTo(recipient, charter, absl::Now(), 4000));
      const Digest body = BodyDigest(envelope->enc, envelope->ciphertext);
      op.action = Submit{envelope, EnvelopeDigest(envelope->header_bytes, body),
                         uint64_t{1} << 40, uint64_t{1} << 40};
      op.event = EncodeAuditEvent(
          EnvelopeEvent{envelope->header_bytes, body, envelope->signature});
    }
    state.ResumeTiming();
    benchmark::DoNotOptimize(VALUE_OF(store->Commit(ops, absl::Now())));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_StoreCommit)->Arg(1)->Arg(64)->Arg(256)->UseRealTime();

}  // namespace
}  // namespace amparo::broker

#include <benchmark/benchmark.h>

#include "crypto/hpke.h"
#include "crypto/random.h"
#include "proto/envelope/envelope.h"
#include "tests/support/status_matchers.h"

namespace amparo::bench {
namespace {

const Bytes kInfo(300);  // as long as a header

void SealAndOpenSizes(benchmark::internal::Benchmark* bench) {
  bench->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20);
}

void BM_Seal(benchmark::State& state) {
  const OpeningKey key = OpeningKey::Generate();
  const Bytes plain(static_cast<size_t>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(VALUE_OF(Seal(key.sealing_key(), kInfo, plain)));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Seal)->Apply(SealAndOpenSizes);

void BM_Open(benchmark::State& state) {
  const OpeningKey key = OpeningKey::Generate();
  const Sealed sealed = VALUE_OF(Seal(
      key.sealing_key(), kInfo, Bytes(static_cast<size_t>(state.range(0)))));
  for (auto _ : state)
    benchmark::DoNotOptimize(
        VALUE_OF(Open(key, kInfo, sealed.enc, sealed.ciphertext)));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Open)->Apply(SealAndOpenSizes);

// The digest of a whole envelope, which is what is signed.
void BM_EnvelopeDigest(benchmark::State& state) {
  const Bytes header(300), enc(32), body(static_cast<size_t>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(EnvelopeDigest(header, BodyDigest(enc, body)));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_EnvelopeDigest)->Apply(SealAndOpenSizes);

void BM_Sign(benchmark::State& state) {
  const SigningKey key = SigningKey::Generate();
  const Digest digest(RandomArray<32>());
  for (auto _ : state) benchmark::DoNotOptimize(SignEnvelope(key, digest));
}
BENCHMARK(BM_Sign);

void BM_Verify(benchmark::State& state) {
  const SigningKey key = SigningKey::Generate();
  const Digest digest(RandomArray<32>());
  const Signature signature =
      Sign(key, "amparo/v1/envelope-sig", digest.bytes());
  for (auto _ : state)
    benchmark::DoNotOptimize(VerifyStrict(
        key.verify_key(), "amparo/v1/envelope-sig", digest.bytes(), signature));
}
BENCHMARK(BM_Verify);

}  // namespace
}  // namespace amparo::bench

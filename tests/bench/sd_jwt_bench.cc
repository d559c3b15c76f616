#include <benchmark/benchmark.h>

#include "absl/strings/str_cat.h"
#include "crypto/sd_jwt.h"
#include "tests/support/status_matchers.h"

namespace amparo::bench {
namespace {

constexpr char kTyp[] = "bench+sd-jwt";
constexpr size_t kSizeMax = 1 << 20;

// A document of twelve sections, `filled` of them with 300 bytes of text.
struct Document {
  explicit Document(int filled) {
    for (int i = 0; i < 12; ++i) slots.push_back(absl::StrCat("section_", i));
    for (int i = 0; i < filled; ++i)
      values[slots[static_cast<size_t>(i)]] = {{"text", std::string(300, 'x')}};
  }
  IssuedSdJwt Issue() const {
    return VALUE_OF(IssueSlots(key, kTyp, claims, slots, values));
  }
  const SigningKey key = SigningKey::Generate();
  const Json claims = {{"iss", "ong"}, {"iat", 1'790'000'000}};
  std::vector<std::string> slots;
  std::map<std::string, Json> values;
};

void BM_IssueSdJwt(benchmark::State& state) {
  const Document document(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(document.Issue());
}
BENCHMARK(BM_IssueSdJwt)->Arg(3)->Arg(12);

void BM_VerifySdJwt(benchmark::State& state) {
  const Document document(static_cast<int>(state.range(0)));
  const IssuedSdJwt issued = document.Issue();
  std::vector<Disclosure> disclosures;
  for (const auto& [name, disclosure] : issued.disclosures)
    disclosures.push_back(disclosure);
  const KeyLookup keys = [&](const Digest&) -> absl::StatusOr<VerifyKey> {
    return document.key.verify_key();
  };
  for (auto _ : state)
    benchmark::DoNotOptimize(
        VALUE_OF(VerifySdJwt(issued.jwt, disclosures, kTyp, keys, kSizeMax)));
}
BENCHMARK(BM_VerifySdJwt)->Arg(3)->Arg(12);

}  // namespace
}  // namespace amparo::bench

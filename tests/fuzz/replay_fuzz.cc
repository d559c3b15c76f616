#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "agents/auditor/replay.h"
#include "base/bytes.h"
#include "crypto/random.h"
#include "tests/fuzz/signed_payload.h"

// A replay over a source that answers whatever the fuzzer likes: it ends, with
// a verdict that its steps and findings bear out, and never with a crash.

namespace amparo::auditor {
namespace {

// Deals the input out, answer by answer.
class FuzzSource : public LeafSource {
 public:
  explicit FuzzSource(ByteView input) : input_(input) {}

  absl::StatusOr<std::string> Checkpoint() override {
    // A size that the walk can reach, else few inputs get beyond it.
    return absl::StrCat("fuzz.example\n", Byte() + Byte(),
                        "\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
                        "\xe2\x80\x94 fuzz.example ",
                        ToBase64(Bytes(68, Byte())), "\n");
  }
  absl::StatusOr<std::vector<Bytes>> Entries(uint64_t,
                                             uint32_t count) override {
    std::vector<Bytes> entries;
    while (entries.size() < count && !input_.empty())
      entries.push_back(Take(Byte()));
    return entries;
  }
  absl::StatusOr<Bytes> HashTile(const TileId&) override {
    if (Byte() < 64) return absl::NotFoundError("none");
    return Take(Byte());
  }
  absl::StatusOr<std::string> Document(const Digest&) override {
    return amparo::ToText(Take(Byte()));
  }
  absl::StatusOr<std::string> CharterCheckpoint(uint64_t) override {
    if (Byte() < 64) return absl::NotFoundError("none");
    return amparo::ToText(Take(Byte()));
  }
  bool HasOpenings() override { return Byte() >= 64; }
  absl::StatusOr<std::vector<Opening>> Openings(uint64_t start,
                                                uint32_t count) override {
    std::vector<Opening> openings;
    for (uint32_t i = Byte() % 8; i-- > 0;)
      openings.push_back({.leaf = start + Byte() % std::max(count, 1u),
                          .salt = Take(32),
                          .event = Take(Byte()),
                          .readable = Byte() >= 32});
    return openings;
  }

 private:
  uint32_t Byte() {
    const Bytes one = Take(1);
    return one.empty() ? 0 : one[0];
  }
  Bytes Take(size_t size) {
    const ByteView part = input_.first(std::min(size, input_.size()));
    input_ = input_.subspan(part.size());
    return ToBytes(part);
  }

  ByteView input_;
};

}  // namespace
}  // namespace amparo::auditor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace amparo;
  Require(InitCrypto().ok());
  auditor::FuzzSource source({data, size});
  uint64_t rows = 0;
  const auto report = auditor::Replay(
      source, {.timeline = [&](const auditor::TimelineEntry& row) {
        ++rows;
        Require(!auditor::ToText(row).empty());
      }});
  // Nobody can sign for this log, so no verdict is good.
  Require(report.ok() && !report->ok());
  Require(rows <= report->size.value());
  Require(ToJson(*report)["ok"] == false);
  return 0;
}

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agents/auditor/leaf_source.h"
#include "tests/support/broker_fixture.h"

namespace amparo::auditor {

// The log that a broker shows an auditor: all that its store holds now, until a
// test edits it. One thread at a time.
class ShownLog final : public LeafSource {
 public:
  // Copies; under the checkpoint `note`.
  ShownLog(broker::BrokerFixture& broker, std::string note);

  absl::StatusOr<std::string> Checkpoint() override;
  absl::StatusOr<std::vector<Bytes>> Entries(uint64_t start,
                                             uint32_t count) override;
  absl::StatusOr<Bytes> HashTile(const TileId& tile) override;
  absl::StatusOr<std::string> Document(const Digest& hash) override;
  absl::StatusOr<std::string> CharterCheckpoint(uint64_t version) override;
  bool HasOpenings() override { return true; }
  absl::StatusOr<std::vector<Opening>> Openings(uint64_t start,
                                                uint32_t count) override;

  // What a dishonest broker may edit.
  std::string note;
  std::vector<Bytes> entries;
  std::vector<Digest> leaves;  // the tiles are made of these
  std::map<uint64_t, Opening> openings;
  std::map<Digest, std::string> documents;  // charters by hash
  std::map<uint64_t, std::string> charter_checkpoints;  // by version
  uint64_t answers_left = ~uint64_t{0};     // then it says UNAVAILABLE

 private:
  absl::Status Answer();
};

}  // namespace amparo::auditor

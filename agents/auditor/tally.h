#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "agents/auditor/report.h"

namespace amparo::auditor {

// What went on, as somebody who reads a report wants to know it: who sent and
// received how much in which month, and which answers came late or never.
// Memory is bounded whatever the log says. One thread at a time.
class Tally {
 public:
  static constexpr size_t kCellsMax = 20'000;
  static constexpr size_t kLateMax = 200;
  static constexpr size_t kPendingMax = 200'000;
  // A delivery that took longer is listed.
  static constexpr absl::Duration kSlow = absl::Hours(24);

  struct Cell {
    uint64_t sent = 0, received = 0, recalled = 0, expired = 0;
    uint64_t undecryptable = 0, erasures = 0, anchors = 0, key_events = 0;
  };
  struct Late {
    LeafIndex envelope;
    absl::Time sent_at;
    std::string from, to;
    std::string outcome;  // "delivered after 30 h", "never delivered", ...
  };

  // In leaf order.
  void Add(const TimelineEntry& row);
  // After the last row: what still waits, and since when.
  void Finish();

  // By month ("2026-11"), then member.
  const std::map<std::string, std::map<std::string, Cell>>& months() const {
    return months_;
  }
  const std::vector<Late>& late() const { return late_; }
  uint64_t late_omitted() const { return late_omitted_; }
  uint64_t waiting() const { return pending_.size(); }

 private:
  struct Pending {
    LeafIndex leaf;
    absl::Time at;
    std::string from, to;
  };
  Cell* At(absl::Time time, const std::string& member);
  void AddLate(const Pending& pending, const std::string& outcome);
  void End(const TimelineEntry& row);

  std::map<std::string, std::map<std::string, Cell>> months_;
  size_t cells_ = 0;
  absl::flat_hash_map<std::string, Pending> pending_;  // by digest
  std::vector<Late> late_;
  uint64_t late_omitted_ = 0;
  absl::Time newest_;
};

}  // namespace amparo::auditor

#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "base/clock.h"

namespace amparo::auditor {

// A line on a terminal that says how far a replay is, how fast, and how long
// it will take. One thread.
class ProgressBar {
 public:
  // Both must outlive the bar.
  ProgressBar(std::ostream& out, const Clock& clock)
      : out_(out), clock_(clock) {}
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Show(uint64_t done, uint64_t size);
  // Takes the line away, for what is printed next.
  void Clear();

 private:
  std::ostream& out_;
  const Clock& clock_;
  std::optional<absl::Time> started_;
  std::optional<absl::Time> shown_;
  bool visible_ = false;
};

// "[#####.....]  50 %  12800 of 25600 entries, 6400/s, 2 s left"
std::string ProgressText(uint64_t done, uint64_t size, absl::Duration spent);

}  // namespace amparo::auditor

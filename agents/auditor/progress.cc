#include "agents/auditor/progress.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace amparo::auditor {
namespace {

constexpr uint64_t kBarWidth = 24;
constexpr absl::Duration kBetween = absl::Milliseconds(200);
constexpr char kClearLine[] = "\r\x1b[K";

std::string TimeLeft(absl::Duration left) {
  const int64_t seconds = std::max<int64_t>(1, absl::ToInt64Seconds(left));
  if (seconds < 60) return absl::StrCat(seconds, " s");
  if (seconds < 3600)
    return absl::StrCat(seconds / 60, " min ", seconds % 60, " s");
  return absl::StrCat(seconds / 3600, " h ", seconds / 60 % 60, " min");
}

}  // namespace

std::string ProgressText(uint64_t done, uint64_t size, absl::Duration spent) {
  done = std::min(done, size);
  const double part =
      size == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(size);
  const auto filled = static_cast<size_t>(part * kBarWidth);
  std::string text = absl::StrFormat("[%s%s] %3d %%  %d of %d entries",
                                     std::string(filled, '#'),
                                     std::string(kBarWidth - filled, '.'),
                                     static_cast<int>(part * 100), done, size);
  const double seconds = absl::ToDoubleSeconds(spent);
  if (done == 0 || seconds <= 0) return text;
  const double rate = static_cast<double>(done) / seconds;
  absl::StrAppend(&text, ", ", static_cast<uint64_t>(rate), "/s");
  if (done < size)
    absl::StrAppend(
        &text, ", ",
        TimeLeft(absl::Seconds(static_cast<double>(size - done) / rate)),
        " left");
  return text;
}

void ProgressBar::Show(uint64_t done, uint64_t size) {
  const absl::Time now = clock_.Now();
  if (!started_.has_value()) started_ = now;
  if (shown_.has_value() && now < *shown_ + kBetween) return;
  shown_ = now;
  out_ << kClearLine << ProgressText(done, size, now - *started_) << std::flush;
  visible_ = true;
}

void ProgressBar::Clear() {
  if (visible_) out_ << kClearLine << std::flush;
  visible_ = false;
}

}  // namespace amparo::auditor

#include "agents/officer/suggest.h"

#include <algorithm>

namespace amparo::officer {
namespace {

// Letters to insert, remove, change or swap with their neighbour.
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1,
                                        std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                             cost[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  return cost[a.size()][b.size()];
}

constexpr size_t kTypedMax = 64;  // what is longer is no slip of a finger

}  // namespace

std::string Nearest(absl::string_view typed,
                    const std::vector<absl::string_view>& candidates) {
  if (typed.size() > kTypedMax) return "";
  size_t best = typed.size() <= 4 ? 1 : typed.size() / 3;
  std::string nearest;
  for (absl::string_view candidate : candidates) {
    const size_t distance = Distance(typed, candidate);
    if (distance > best || (distance == best && !nearest.empty())) continue;
    best = distance;
    nearest = std::string(candidate);
  }
  return nearest;
}

}  // namespace amparo::officer

#include "broker/store/memory_store.h"

#include <array>
#include <map>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "broker/store/table_store.h"
#include "broker/store/tables.h"

namespace amparo::broker {
namespace {

class MemoryTables final : public Tables {
 public:
  absl::StatusOr<std::string> Get(Table table,
                                  absl::string_view key) const override {
    MutexLock lock(mutex_);
    const Map& map = MapOf(table);
    const auto row = map.find(key);
    if (row == map.end()) return absl::NotFoundError("no such row");
    return row->second;
  }

  absl::Status Scan(Table table, absl::string_view start, absl::string_view end,
                    const Visit& visit) const override {
    MutexLock lock(mutex_);
    const Map& map = MapOf(table);
    for (auto row = map.lower_bound(start);
         row != map.end() && absl::string_view(row->first) < end; ++row)
      if (!visit(row->first, row->second)) break;
    return absl::OkStatus();
  }

  absl::StatusOr<std::pair<std::string, std::string>> Last(
      Table table) const override {
    MutexLock lock(mutex_);
    const Map& map = MapOf(table);
    if (map.empty()) return absl::NotFoundError("no row");
    return std::pair<std::string, std::string>(*map.rbegin());
  }

  absl::Status Apply(const Changes& changes) override {
    MutexLock lock(mutex_);
    for (const Changes::Change& change : changes.all()) {
      Map& map = maps_[static_cast<size_t>(change.table)];
      if (change.deletes)
        map.erase(change.key);
      else
        map[change.key] = ToText(change.borrowed) + ToText(change.owned);
    }
    return absl::OkStatus();
  }

  absl::Status CopyTo(const std::string&) override {
    return absl::UnimplementedError("a store in memory has no copies");
  }

 private:
  struct Less {
    using is_transparent = void;
    bool operator()(absl::string_view a, absl::string_view b) const {
      return a < b;
    }
  };
  using Map = std::map<std::string, std::string, Less>;

  const Map& MapOf(Table table) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return maps_[static_cast<size_t>(table)];
  }

  mutable Mutex mutex_;
  std::array<Map, kTableCount> maps_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Store> NewMemoryStore() {
  return std::move(TableStore::Open(std::make_unique<MemoryTables>())).value();
}

}  // namespace amparo::broker

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"

// What an engine that is an ordered map brings to a TableStore: nothing of the
// domain. Rows and keys: rows.h.

namespace amparo::broker {

enum class Table : uint8_t {
  kState,
  kEntries,
  kHashes,
  kOpenings,
  kRequests,
  kRecords,
  kMailbox,
  kExpiries,
  kEnvelopes,
  kErasures,
  kDocuments,
  kPublications,
  kCheckpoints,
};
inline constexpr size_t kTableCount = 13;
// Names that stay: they are on disk.
const char* NameOf(Table table);

// Changes that are applied together.
class Changes {
 public:
  struct Change {
    Table table;
    std::string key;
    bool deletes = false;
    ByteView borrowed;  // the value is `borrowed`, then `owned`
    Bytes owned;
  };

  void Put(Table table, std::string key, Bytes value) {
    Add({table, std::move(key), false, {}, std::move(value)});
  }
  // The value is `borrowed`, which must live until applied, then `rest`.
  void PutBorrowed(Table table, std::string key, ByteView borrowed,
                   Bytes rest) {
    Add({table, std::move(key), false, borrowed, std::move(rest)});
  }
  void Delete(Table table, std::string key) {
    Add({table, std::move(key), true, {}, {}});
  }

  const std::vector<Change>& all() const { return all_; }
  bool empty() const { return all_.empty(); }
  size_t bytes() const { return bytes_; }

 private:
  void Add(Change change) {
    bytes_ += change.key.size() + change.borrowed.size() + change.owned.size();
    all_.push_back(std::move(change));
  }
  std::vector<Change> all_;
  size_t bytes_ = 0;
};

// Ordered maps from byte strings to byte strings, one per Table. Thread-safe.
class Tables {
 public:
  using Visit =
      std::function<bool(absl::string_view key, absl::string_view value)>;
  virtual ~Tables() = default;

  // NOT_FOUND when the key is absent.
  virtual absl::StatusOr<std::string> Get(Table table,
                                          absl::string_view key) const = 0;
  // Each key in [start, end), in byte order, until `visit` returns false. Sees
  // one moment; `visit` may not call this object.
  virtual absl::Status Scan(Table table, absl::string_view start,
                            absl::string_view end,
                            const Visit& visit) const = 0;
  // The greatest key and its value; NOT_FOUND for an empty table.
  virtual absl::StatusOr<std::pair<std::string, std::string>> Last(
      Table table) const = 0;
  // All changes in order, or none; synced. RESOURCE_EXHAUSTED: nothing was
  // written; any other error: unknown.
  virtual absl::Status Apply(const Changes& changes) = 0;
  // Store::CopyTo.
  virtual absl::Status CopyTo(const std::string& path) = 0;
};

}  // namespace amparo::broker

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"

namespace amparo {

// Changes that a KeyValue applies together.
class Batch {
 public:
  struct Change {
    std::string key;
    std::optional<Bytes> value;  // nullopt deletes
  };

  void Put(absl::string_view key, ByteView value) {
    changes_.push_back({std::string(key), ToBytes(value)});
  }
  void Delete(absl::string_view key) {
    changes_.push_back({std::string(key), std::nullopt});
  }
  // All changes of `other`, after those here.
  void Append(Batch other) {
    for (Change& change : other.changes_) changes_.push_back(std::move(change));
  }
  bool empty() const { return changes_.empty(); }

  const std::vector<Change>& changes() const { return changes_; }

 private:
  std::vector<Change> changes_;
};

// An ordered map from byte strings to byte strings: the agent's disk.
// Thread-safe.
class KeyValue {
 public:
  virtual ~KeyValue() = default;

  // NOT_FOUND when the key is absent.
  virtual absl::StatusOr<Bytes> Get(absl::string_view key) const = 0;

  // Calls `visit` for each key that starts with `prefix`, in byte order, from
  // `start` on (a whole key; empty for the first), until it returns false.
  // Sees one moment; `visit` may not call this object.
  virtual absl::Status Scan(
      absl::string_view prefix, absl::string_view start,
      const std::function<bool(absl::string_view key, ByteView value)>& visit)
      const = 0;

  // All changes, in order, or none; on disk when it returns OK. After an error
  // nothing is promised but that the map is whole.
  virtual absl::Status Write(const Batch& batch) = 0;

  // When it returns OK, no file holds what was deleted or replaced under
  // `prefix` before. Rewrites the files that hold the prefix: for what has to be
  // destroyed. What the disk itself keeps of a deleted file is beyond it.
  virtual absl::Status Purge(absl::string_view prefix) = 0;
};

}  // namespace amparo

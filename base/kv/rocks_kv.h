#pragma once

#include <memory>
#include <string>

#include "base/kv/kv.h"

namespace rocksdb {
class DB;
}

namespace amparo {

// A KeyValue on disk: every Write is synced before it returns. Thread-safe.
class RocksKv final : public KeyValue {
 public:
  // Opens or creates the directory `path` (its parent must exist).
  // UNAVAILABLE when another process holds it, DATA_LOSS when it is damaged.
  static absl::StatusOr<std::unique_ptr<RocksKv>> Open(const std::string& path);
  // As Open, for a map that was made before: NOT_FOUND without one, and then
  // nothing in `path` is touched.
  static absl::StatusOr<std::unique_ptr<RocksKv>> OpenExisting(
      const std::string& path);
  // Whether there is one, open or not.
  static bool Exists(const std::string& path);
  ~RocksKv() override;

  absl::StatusOr<Bytes> Get(absl::string_view key) const override;
  absl::Status Scan(absl::string_view prefix, absl::string_view start,
                    const std::function<bool(absl::string_view, ByteView)>& visit)
      const override;
  absl::Status Write(const Batch& batch) override;
  absl::Status Purge(absl::string_view prefix) override;

  // A directory that opens with the map as it is at this moment, on the same
  // disk; `path` must not exist. Cheap: it shares the files, and so keeps what
  // is purged here until it is deleted.
  absl::Status CopyTo(const std::string& path) const;

 private:
  explicit RocksKv(std::unique_ptr<rocksdb::DB> db);
  static absl::StatusOr<std::unique_ptr<RocksKv>> Open(const std::string& path,
                                                       bool may_create);
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace amparo

#include "broker/store/rocks_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <sys/statvfs.h>

#include <array>
#include <utility>
#include <vector>

#include "broker/store/table_store.h"
#include "broker/store/tables.h"

namespace amparo::broker {
namespace {

constexpr size_t kBlockCacheBytes = 16 << 20;
constexpr size_t kBlobBytesMin = 1024;

rocksdb::Slice SliceOf(absl::string_view text) {
  return {text.data(), text.size()};
}
absl::string_view TextOf(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// RocksDB's own messages may quote keys: they are not passed on. A disk found
// full in the middle of a write is an unknown outcome like any other.
absl::Status StatusOf(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsNotFound()) return absl::NotFoundError("no such row");
  if (status.IsCorruption()) return absl::DataLossError("the store is damaged");
  return absl::UnavailableError("the store cannot be read or written");
}

rocksdb::DBOptions DatabaseOptions() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_background_jobs = 2;
  options.bytes_per_sync = 1 << 20;
  options.wal_bytes_per_sync = 1 << 20;
  options.recycle_log_file_num = 4;
  options.max_total_wal_size = 128 << 20;
  options.db_write_buffer_size = 64 << 20;
  // One writer: the store's own.
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  options.max_open_files = 128;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return options;
}

rocksdb::ColumnFamilyOptions OptionsOf(
    Table table, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kNoCompression;  // ciphertexts and hashes
  // Together bounded by db_write_buffer_size. A table that fills sooner makes a
  // file, and the syncs of that hold up the log's.
  options.write_buffer_size = 16 << 20;
  options.max_write_buffer_number = 3;
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  blocks.cache_index_and_filter_blocks = true;
  blocks.pin_l0_filter_and_index_blocks_in_cache = true;
  if (table == Table::kRequests || table == Table::kRecords)
    blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  if (table == Table::kRequests) {
    // Each submission asks for a key that is not there yet.
    options.memtable_whole_key_filtering = true;
    options.memtable_prefix_bloom_size_ratio = 0.02;
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  if (table == Table::kEnvelopes) {
    options.write_buffer_size = 32 << 20;
    options.enable_blob_files = true;
    options.min_blob_size = kBlobBytesMin;
    options.blob_file_size = 64 << 20;
    options.enable_blob_garbage_collection = true;
    options.blob_garbage_collection_age_cutoff = 0.5;
    options.blob_garbage_collection_force_threshold = 0.5;
  }
  return options;
}

class RocksTables final : public Tables {
 public:
  static absl::StatusOr<std::unique_ptr<Tables>> Open(
      const std::string& path, const RocksStoreOptions& options) {
    const auto cache = rocksdb::NewLRUCache(kBlockCacheBytes);
    std::vector<rocksdb::ColumnFamilyDescriptor> families = {
        {rocksdb::kDefaultColumnFamilyName, {}}};
    for (size_t i = 0; i < kTableCount; ++i) {
      const Table table = static_cast<Table>(i);
      families.emplace_back(NameOf(table), OptionsOf(table, cache));
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    if (const rocksdb::Status status =
            rocksdb::DB::Open(DatabaseOptions(), path, families, &handles, &db);
        !status.ok())
      return StatusOf(status);
    return std::unique_ptr<Tables>(new RocksTables(path, options, db, handles));
  }

  ~RocksTables() override {
    for (rocksdb::ColumnFamilyHandle* handle : handles_)
      db_->DestroyColumnFamilyHandle(handle);
    db_->Close();
  }

  absl::StatusOr<std::string> Get(Table table,
                                  absl::string_view key) const override {
    std::string value;
    const rocksdb::Status status =
        db_->Get(rocksdb::ReadOptions(), FamilyOf(table), SliceOf(key), &value);
    if (!status.ok()) return StatusOf(status);
    return value;
  }

  absl::Status Scan(Table table, absl::string_view start, absl::string_view end,
                    const Visit& visit) const override {
    const rocksdb::Slice upper = SliceOf(end);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> it(
        db_->NewIterator(options, FamilyOf(table)));
    for (it->Seek(SliceOf(start)); it->Valid(); it->Next())
      if (!visit(TextOf(it->key()), TextOf(it->value()))) break;
    return StatusOf(it->status());
  }

  absl::StatusOr<std::pair<std::string, std::string>> Last(
      Table table) const override {
    const std::unique_ptr<rocksdb::Iterator> it(
        db_->NewIterator(rocksdb::ReadOptions(), FamilyOf(table)));
    it->SeekToLast();
    if (!it->status().ok()) return StatusOf(it->status());
    if (!it->Valid()) return absl::NotFoundError("no row");
    return std::pair(it->key().ToString(), it->value().ToString());
  }

  absl::Status Apply(const Changes& changes) override {
    // Looked at before, because a write that fails half way may or may not be
    // there after a restart.
    if (FreeBytes() < options_.disk_free_bytes_min + changes.bytes())
      return absl::ResourceExhaustedError("the disk is full");
    rocksdb::WriteBatch batch(changes.bytes() + 32 * changes.all().size());
    for (const Changes::Change& change : changes.all()) {
      const rocksdb::Status status = Add(batch, change);
      if (!status.ok()) return StatusOf(status);
    }
    rocksdb::WriteOptions options;
    options.sync = true;
    const rocksdb::Status status = db_->Write(options, &batch);
    return status.IsNotFound() ? absl::InternalError("write")
                               : StatusOf(status);
  }

  absl::Status CopyTo(const std::string& path) override {
    rocksdb::Checkpoint* made = nullptr;
    if (const rocksdb::Status status =
            rocksdb::Checkpoint::Create(db_.get(), &made);
        !status.ok())
      return StatusOf(status);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    const rocksdb::Status status = checkpoint->CreateCheckpoint(path);
    if (status.IsInvalidArgument())
      return absl::AlreadyExistsError("the copy's directory exists");
    return StatusOf(status);
  }

 private:
  RocksTables(const std::string& path, const RocksStoreOptions& options,
              rocksdb::DB* db,
              std::vector<rocksdb::ColumnFamilyHandle*> handles)
      : path_(path), options_(options), handles_(std::move(handles)), db_(db) {}

  rocksdb::ColumnFamilyHandle* FamilyOf(Table table) const {
    return handles_[1 + static_cast<size_t>(table)];
  }

  rocksdb::Status Add(rocksdb::WriteBatch& batch,
                      const Changes::Change& change) const {
    rocksdb::ColumnFamilyHandle* const family = FamilyOf(change.table);
    const rocksdb::Slice key = SliceOf(change.key);
    if (change.deletes) return batch.Delete(family, key);
    const std::array<rocksdb::Slice, 2> parts = {
        SliceOf(AsText(change.borrowed)), SliceOf(AsText(change.owned))};
    return batch.Put(family, rocksdb::SliceParts(&key, 1),
                     rocksdb::SliceParts(parts.data(), 2));
  }

  uint64_t FreeBytes() const {
    struct statvfs status;
    if (statvfs(path_.c_str(), &status) != 0) return 0;
    return uint64_t{status.f_bavail} * status.f_frsize;
  }

  const std::string path_;
  const RocksStoreOptions options_;
  const std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  const std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenRocksStore(
    const std::string& path, const RocksStoreOptions& options) {
  absl::StatusOr<std::unique_ptr<Tables>> tables =
      RocksTables::Open(path, options);
  if (!tables.ok()) return tables.status();
  return TableStore::Open(std::move(tables).value());
}

}  // namespace amparo::broker

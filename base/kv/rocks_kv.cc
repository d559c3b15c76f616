#include "base/kv/rocks_kv.h"

#include <rocksdb/db.h>
#include <rocksdb/utilities/checkpoint.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "base/files.h"

namespace amparo {
namespace {

rocksdb::Slice SliceOf(absl::string_view text) {
  return {text.data(), text.size()};
}
rocksdb::Slice SliceOf(ByteView bytes) { return SliceOf(AsText(bytes)); }

absl::string_view TextOf(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// RocksDB's own messages may quote keys: they are not passed on.
absl::Status StatusOf(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.IsNotFound()) return absl::NotFoundError("no such key");
  if (status.IsCorruption()) return absl::DataLossError("the store is damaged");
  if (status.IsNoSpace())
    return absl::ResourceExhaustedError("the disk is full");
  if (status.IsIOError() || status.IsBusy())
    return absl::UnavailableError("the store cannot be read or written");
  return absl::InternalError("the store failed");
}

}  // namespace

RocksKv::RocksKv(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}
RocksKv::~RocksKv() = default;

absl::StatusOr<std::unique_ptr<RocksKv>> RocksKv::Open(const std::string& path) {
  return Open(path, /*may_create=*/true);
}

absl::StatusOr<std::unique_ptr<RocksKv>> RocksKv::OpenExisting(
    const std::string& path) {
  if (!Exists(path)) return absl::NotFoundError("there is no store");
  return Open(path, /*may_create=*/false);
}

// The one file that names all others: without it RocksDB would start anew, and
// delete them.
bool RocksKv::Exists(const std::string& path) {
  return FileExists(path + "/CURRENT");
}

absl::StatusOr<std::unique_ptr<RocksKv>> RocksKv::Open(const std::string& path,
                                                       bool may_create) {
  rocksdb::Options options;
  options.create_if_missing = may_create;
  options.compression = rocksdb::kNoCompression;  // values are ciphertexts
  options.write_buffer_size = 4 << 20;
  options.max_background_jobs = 2;
  options.max_open_files = 64;
  options.keep_log_file_num = 2;
  // What Write() acknowledged is never dropped in silence: only a last record
  // that a crash cut short may be missing. The default would stop at the first
  // damaged record and open without all that followed.
  options.wal_recovery_mode =
      rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.info_log_level = rocksdb::WARN_LEVEL;
  rocksdb::DB* db = nullptr;
  if (const rocksdb::Status status = rocksdb::DB::Open(options, path, &db);
      !status.ok())
    return StatusOf(status);
  return std::unique_ptr<RocksKv>(new RocksKv(std::unique_ptr<rocksdb::DB>(db)));
}

absl::StatusOr<Bytes> RocksKv::Get(absl::string_view key) const {
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = db_->Get(
      rocksdb::ReadOptions(), db_->DefaultColumnFamily(), SliceOf(key), &value);
  if (!status.ok()) return StatusOf(status);
  return ToBytes(TextOf(value));
}

absl::Status RocksKv::Scan(
    absl::string_view prefix, absl::string_view start,
    const std::function<bool(absl::string_view, ByteView)>& visit) const {
  const std::unique_ptr<rocksdb::Iterator> it(
      db_->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(SliceOf(std::max(prefix, start)));
       it->Valid() && absl::StartsWith(TextOf(it->key()), prefix); it->Next())
    if (!visit(TextOf(it->key()), AsBytes(TextOf(it->value())))) break;
  return StatusOf(it->status());
}

absl::Status RocksKv::Write(const Batch& batch) {
  rocksdb::WriteBatch writes;
  for (const Batch::Change& change : batch.changes()) {
    const rocksdb::Status status =
        change.value.has_value()
            ? writes.Put(SliceOf(change.key), SliceOf(ByteView(*change.value)))
            : writes.Delete(SliceOf(change.key));
    if (!status.ok()) return StatusOf(status);
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  return StatusOf(db_->Write(options, &writes));
}

absl::Status RocksKv::Purge(absl::string_view prefix) {
  // The log of writes first: it holds every value of late, and goes when what
  // it protects is in a table.
  if (const rocksdb::Status flushed = db_->Flush(rocksdb::FlushOptions());
      !flushed.ok())
    return StatusOf(flushed);
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  const rocksdb::Slice first = SliceOf(prefix);
  const rocksdb::Slice last = SliceOf(absl::string_view(end));
  rocksdb::CompactRangeOptions options;
  // The lowest tables too: there a deletion ends with what it deletes.
  options.bottommost_level_compaction =
      rocksdb::BottommostLevelCompaction::kForceOptimized;
  return StatusOf(
      db_->CompactRange(options, &first, end.empty() ? nullptr : &last));
}

absl::Status RocksKv::CopyTo(const std::string& path) const {
  rocksdb::Checkpoint* made = nullptr;
  if (const rocksdb::Status status =
          rocksdb::Checkpoint::Create(db_.get(), &made);
      !status.ok())
    return StatusOf(status);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  return StatusOf(checkpoint->CreateCheckpoint(path));
}

}  // namespace amparo

#include "tests/bench/bound_server.h"

#include <rocksdb/db.h>

#include <deque>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "amparo/v1/broker.grpc.pb.h"
#include "base/mutex.h"
#include "broker/daemon/data_dir.h"
#include "crypto/sign.h"
#include "proto/envelope/envelope.h"
#include "proto/grpc/credentials.h"
#include "tests/support/status_matchers.h"

namespace amparo::bench {
namespace {

constexpr size_t kBatchMax = 256;
constexpr int kMessageBytesMax = 2 << 20;

// As rocks_store.cc has it for ciphertexts, with nothing beside them.
std::unique_ptr<rocksdb::DB> OpenDatabase(const std::string& path) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.max_background_jobs = 2;
  options.bytes_per_sync = 1 << 20;
  options.wal_bytes_per_sync = 1 << 20;
  options.recycle_log_file_num = 4;
  options.write_buffer_size = 64 << 20;
  options.allow_concurrent_memtable_write = false;
  options.enable_write_thread_adaptive_yield = false;
  options.enable_blob_files = true;
  options.min_blob_size = 1024;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, &db);
  if (!status.ok()) throw std::runtime_error("cannot open the database");
  return std::unique_ptr<rocksdb::DB>(db);
}

// One who reads what was stored; sends as fast as its client takes it.
class Reader final : public grpc::ServerWriteReactor<v1::MailboxItem> {
 public:
  void Send(v1::MailboxItem item) {
    {
      MutexLock lock(mutex_);
      if (ended_) return;
      waiting_.push_back(std::move(item));
      if (waiting_.size() > 1) return;
    }
    StartWrite(&waiting_.front());
  }
  void OnWriteDone(bool ok) override {
    const v1::MailboxItem* next = nullptr;
    {
      MutexLock lock(mutex_);
      waiting_.pop_front();
      if (ok && !ended_) next = waiting_.empty() ? nullptr : &waiting_.front();
    }
    if (next != nullptr) StartWrite(next);
  }
  void OnCancel() override {
    {
      MutexLock lock(mutex_);
      ended_ = true;
    }
    Finish(grpc::Status::CANCELLED);
  }
  // Kept: the service ends with its process.
  void OnDone() override {}

 private:
  Mutex mutex_;
  std::deque<v1::MailboxItem> waiting_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

class BoundService final : public v1::RelayService::CallbackService {
 public:
  BoundService(const BoundOptions& options, rocksdb::DB& db, SigningKey log_key)
      : db_(db),
        sender_(options.sender),
        log_key_(std::move(log_key)),
        committer_([this] { RunCommitter(); }) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context,
                                   const v1::SubmitRequest* request,
                                   v1::LeafReceipt* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    if (sender_ && !IsSigned(request->envelope())) {
      reactor->Finish(grpc::Status(grpc::PERMISSION_DENIED, ""));
      return reactor;
    }
    MutexLock lock(mutex_);
    queue_.push_back({reactor, request, response});
    changed_.Signal();
    return reactor;
  }

  grpc::ServerWriteReactor<v1::MailboxItem>* Subscribe(
      grpc::CallbackServerContext*, const v1::SubscribeRequest*) override {
    auto* const reader = new Reader;
    {
      MutexLock lock(mutex_);
      reader_ = reader;
    }
    reader->Send({});  // says that it is open
    return reader;
  }

 private:
  struct Waiting {
    grpc::ServerUnaryReactor* reactor;
    const v1::SubmitRequest* request;
    v1::LeafReceipt* response;
  };

  bool IsSigned(const v1::Envelope& envelope) const {
    const Digest body =
        BodyDigest(AsBytes(envelope.enc()), AsBytes(envelope.ciphertext()));
    const Digest digest = EnvelopeDigest(AsBytes(envelope.header()), body);
    return VerifyStrict(*sender_, "amparo/v1/envelope-sig", digest.bytes(),
                        AsBytes(envelope.signature()))
        .ok();
  }

  void RunCommitter() {
    while (true) {
      std::vector<Waiting> batch;
      Reader* reader = nullptr;
      {
        MutexLock lock(mutex_);
        while (queue_.empty()) changed_.Wait(mutex_);
        while (!queue_.empty() && batch.size() < kBatchMax) {
          batch.push_back(queue_.front());
          queue_.pop_front();
        }
        reader = reader_;
      }
      Commit(batch);
      for (const Waiting& one : batch) Answer(one, reader);
    }
  }

  void Commit(const std::vector<Waiting>& batch) {
    rocksdb::WriteBatch writes;
    for (size_t i = 0; i < batch.size(); ++i) {
      std::string key;
      for (int shift = 56; shift >= 0; shift -= 8)
        key += static_cast<char>((stored_ + i) >> shift);
      writes.Put(key, batch[i].request->envelope().ciphertext());
    }
    rocksdb::WriteOptions options;
    options.sync = true;
    if (!db_.Write(options, &writes).ok())
      throw std::runtime_error("cannot write");
  }

  void Answer(const Waiting& one, Reader* reader) {
    one.response->set_leaf(stored_++);
    if (sender_) {
      const Digest digest =
          EnvelopeDigest(AsBytes(one.request->envelope().header()), Digest());
      one.response->set_signature(
          ToText(Sign(log_key_, "amparo/v1/submit-sig", digest.bytes())));
    }
    if (reader != nullptr) {
      v1::MailboxItem item;
      *item.mutable_receipt() = *one.response;
      *item.mutable_envelope() = one.request->envelope();
      reader->Send(std::move(item));
    }
    one.reactor->Finish(grpc::Status::OK);
  }

  rocksdb::DB& db_;
  const std::optional<VerifyKey> sender_;
  const SigningKey log_key_;
  uint64_t stored_ = 0;  // by the committer

  Mutex mutex_;
  CondVar changed_;
  std::deque<Waiting> queue_ ABSL_GUARDED_BY(mutex_);
  Reader* reader_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::thread committer_;
};

}  // namespace

void RunBoundServer(const BoundOptions& options,
                    const std::function<void(int port)>& ready) {
  if (!AllowOnlyTls13().ok()) throw std::runtime_error("no TLS 1.3");
  const broker::DataDir data(options.data);
  const std::unique_ptr<rocksdb::DB> db = OpenDatabase(options.database);
  BoundService service(
      options, *db,
      VALUE_OF(data.ReadLogKeys(VALUE_OF(data.ReadNetworkFile()))).key);
  grpc::ServerBuilder builder;
  SetServerLimits(builder, kMessageBytesMax);
  int port = 0;
  builder.AddListeningPort(
      "127.0.0.1:0",
      MakeServerCredentials({data.server_key(), data.server_certificate(),
                             data.ca().certificate}),
      &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) throw std::runtime_error("cannot listen");
  ready(port);
  server->Wait();
}

}  // namespace amparo::bench

#pragma once

#include <string>

#include "amparo/v1/broker.grpc.pb.h"
#include "broker/core/admission.h"
#include "broker/core/audit_log.h"
#include "broker/core/checkpointer.h"
#include "broker/core/inbox_feed.h"
#include "broker/core/witness_book.h"
#include "broker/rpc/open_streams.h"
#include "broker/rpc/peer.h"
#include "proto/grpc/unary.h"

namespace amparo::broker {

// LogService of broker.proto: the log for whoever has a certificate of the
// network; openings for parties and auditors; witnesses add to checkpoints.
class LogService final : public v1::LogService::CallbackService {
 public:
  struct Parts {
    const Peers& peers;
    Admission& admission;  // counts
    const AuditLog& log;
    const Checkpointer& checkpointer;
    WitnessBook& witnesses;
    InboxFeed& watchers;  // woken by the checkpointer
    OpenStreams& streams;
    Executor& executor;         // reads
    Executor& stream_executor;  // reads of streams
    CallObserver* observer = nullptr;
    std::optional<RebuiltRange> rebuilt;  // nullopt: never
  };
  // All that `parts` refers to must outlive the service.
  explicit LogService(Parts parts);

  grpc::ServerUnaryReactor* GetCheckpoint(
      grpc::CallbackServerContext* context,
      const v1::GetCheckpointRequest* request,
      v1::CheckpointResponse* response) override;
  grpc::ServerWriteReactor<v1::CheckpointResponse>* WatchCheckpoints(
      grpc::CallbackServerContext* context,
      const v1::WatchCheckpointsRequest* request) override;
  grpc::ServerUnaryReactor* AddCosignature(
      grpc::CallbackServerContext* context,
      const v1::AddCosignatureRequest* request,
      v1::AddCosignatureResponse* response) override;
  grpc::ServerUnaryReactor* GetCharterCheckpoint(
      grpc::CallbackServerContext* context,
      const v1::GetCharterCheckpointRequest* request,
      v1::CheckpointResponse* response) override;
  grpc::ServerUnaryReactor* GetTile(grpc::CallbackServerContext* context,
                                    const v1::GetTileRequest* request,
                                    v1::TileResponse* response) override;
  grpc::ServerUnaryReactor* GetEntries(grpc::CallbackServerContext* context,
                                       const v1::GetEntriesRequest* request,
                                       v1::EntriesResponse* response) override;
  grpc::ServerUnaryReactor* GetDocument(
      grpc::CallbackServerContext* context,
      const v1::GetDocumentRequest* request,
      v1::DocumentResponse* response) override;
  grpc::ServerWriteReactor<v1::Opening>* ListOpenings(
      grpc::CallbackServerContext* context,
      const v1::ListOpeningsRequest* request) override;

 private:
  // Who calls, and may read so often.
  absl::StatusOr<MemberId> Reader(grpc::CallbackServerContext& context) const;
  // `work` for such a peer.
  grpc::ServerUnaryReactor* Run(const char* method,
                                grpc::CallbackServerContext* context,
                                std::function<absl::Status()> work);
  // What is shown now; `showing` changes with it.
  struct Shown {
    v1::CheckpointResponse response;
    uint64_t showing = 0;
  };
  absl::StatusOr<Shown> NewestNow() const;

  const Parts parts_;
};

}  // namespace amparo::broker

#include "broker/rpc/log_service.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "base/status.h"
#include "broker/rpc/subscribe_reactor.h"
#include "crypto/tile.h"

namespace amparo::broker {
namespace {

using CheckpointStream = PullStream<v1::CheckpointResponse>;
using OpeningStream = PullStream<v1::Opening>;

// Where a watcher of checkpoints stands.
struct CheckpointCursor {
  uint64_t last = 0;
  // Ends with the stream.
  std::optional<InboxFeed::Subscription> watch;
};

v1::Opening ToProto(const Opening& opening) {
  v1::Opening message;
  message.set_leaf(opening.leaf.value());
  message.set_salt(ToText(opening.salt));
  message.set_event(ToText(opening.event));
  return message;
}

}  // namespace

LogService::LogService(Parts parts) : parts_(std::move(parts)) {}

absl::StatusOr<MemberId> LogService::Reader(
    grpc::CallbackServerContext& context) const {
  ASSIGN_OR_RETURN(MemberId peer, parts_.peers.Member(*context.auth_context()));
  RETURN_IF_ERROR(parts_.admission.CountReading(peer));
  return peer;
}

grpc::ServerUnaryReactor* LogService::Run(const char* method,
                                          grpc::CallbackServerContext* context,
                                          std::function<absl::Status()> work) {
  return RunUnary(parts_.executor, context,
                  [this, context, work = std::move(work)]() -> absl::Status {
                    RETURN_IF_ERROR(Reader(*context).status());
                    return work();
                  },
                  {parts_.observer, method});
}

absl::StatusOr<LogService::Shown> LogService::NewestNow() const {
  // In this order: what is witnessed is never larger than what is shown.
  auto witnessed = parts_.witnesses.newest();
  ASSIGN_OR_RETURN(auto newest, parts_.checkpointer.NewestNow());
  Shown shown;
  // Both only grow.
  shown.showing = newest.showing + witnessed.showing;
  shown.response.set_note(std::move(newest.note));
  shown.response.set_witnessed(std::move(witnessed.note));
  if (parts_.rebuilt.has_value()) {
    shown.response.set_rebuilt_to(parts_.rebuilt->to.value());
    shown.response.set_rebuilt_from(parts_.rebuilt->from.value());
  }
  return shown;
}

grpc::ServerUnaryReactor* LogService::GetCheckpoint(
    grpc::CallbackServerContext* context, const v1::GetCheckpointRequest*,
    v1::CheckpointResponse* response) {
  return Run("GetCheckpoint", context, [this, response]() -> absl::Status {
    ASSIGN_OR_RETURN(Shown shown, NewestNow());
    *response = std::move(shown.response);
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::CheckpointResponse>* LogService::WatchCheckpoints(
    grpc::CallbackServerContext* context, const v1::WatchCheckpointsRequest*) {
  const auto peer = Reader(*context);
  if (!peer.ok())
    return RefuseStream<v1::CheckpointResponse>(parts_.stream_executor,
                                                peer.status());
  const auto stream = CheckpointStream::Create(parts_.stream_executor);
  const auto cursor = std::make_shared<CheckpointCursor>();
  absl::Status begun = parts_.streams.Add(*peer, stream);
  // Asked again: from here on TakeOnly's caller finds the stream and ends it.
  begun.Update(parts_.peers.Member(*context->auth_context()).status());
  if (begun.ok()) {
    auto watch = parts_.watchers.Subscribe(
        *peer, [waiting = std::weak_ptr<CheckpointStream>(stream)] {
          if (const auto awake = waiting.lock()) awake->Wake();
        });
    begun = watch.status();
    if (begun.ok()) cursor->watch.emplace(*std::move(watch));
  }
  stream->Start([this, cursor, begun](std::deque<v1::CheckpointResponse>& out)
                    -> absl::StatusOr<Pulled> {
    RETURN_IF_ERROR(begun);
    auto shown = NewestNow();
    if (absl::IsNotFound(shown.status())) return Pulled::kNothingYet;
    RETURN_IF_ERROR(shown.status());
    // The log that did not grow is shown again each hour, with its time.
    if (shown->showing == cursor->last) return Pulled::kNothingYet;
    cursor->last = shown->showing;
    out.push_back(std::move(shown->response));
    return Pulled::kSome;
  });
  return stream.get();
}

grpc::ServerUnaryReactor* LogService::AddCosignature(
    grpc::CallbackServerContext* context,
    const v1::AddCosignatureRequest* request, v1::AddCosignatureResponse*) {
  return RunUnary(parts_.executor, context,
                  [this, context, request]() -> absl::Status {
                    ASSIGN_OR_RETURN(const MemberId peer, Reader(*context));
                    return parts_.witnesses.Add(
                        peer, TreeSize(request->tree_size()),
                        AsBytes(request->cosignature()));
                  },
                  {parts_.observer, "AddCosignature"});
}

grpc::ServerUnaryReactor* LogService::GetCharterCheckpoint(
    grpc::CallbackServerContext* context,
    const v1::GetCharterCheckpointRequest* request,
    v1::CheckpointResponse* response) {
  return Run("GetCharterCheckpoint", context,
             [this, request, response]() -> absl::Status {
               ASSIGN_OR_RETURN(
                   *response->mutable_witnessed(),
                   parts_.witnesses.ForCharter(request->version()));
               return absl::OkStatus();
             });
}

grpc::ServerUnaryReactor* LogService::GetTile(
    grpc::CallbackServerContext* context, const v1::GetTileRequest* request,
    v1::TileResponse* response) {
  return Run("GetTile", context, [this, request, response]() -> absl::Status {
    if (request->width() < 1 || request->width() > kTileWidth)
      return absl::InvalidArgumentError("a tile is 1 to 256 hashes wide");
    ASSIGN_OR_RETURN(const Bytes hashes,
                     parts_.log.Tile({request->level(), request->index(),
                                      request->width()}));
    response->set_hashes(ToText(hashes));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* LogService::GetEntries(
    grpc::CallbackServerContext* context, const v1::GetEntriesRequest* request,
    v1::EntriesResponse* response) {
  return Run(
      "GetEntries", context, [this, request, response]() -> absl::Status {
        ASSIGN_OR_RETURN(
            const std::vector<Bytes> entries,
            parts_.log.Entries(LeafIndex(request->start()), request->count()));
        for (const Bytes& entry : entries) response->add_entries(ToText(entry));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* LogService::GetDocument(
    grpc::CallbackServerContext* context, const v1::GetDocumentRequest* request,
    v1::DocumentResponse* response) {
  return Run("GetDocument", context,
             [this, request, response]() -> absl::Status {
               ASSIGN_OR_RETURN(const Digest hash,
                                Digest::FromBytes(AsBytes(request->sha256())));
               ASSIGN_OR_RETURN(*response->mutable_document(),
                                parts_.log.Document(hash));
               return absl::OkStatus();
             });
}

grpc::ServerWriteReactor<v1::Opening>* LogService::ListOpenings(
    grpc::CallbackServerContext* context,
    const v1::ListOpeningsRequest* request) {
  const auto peer = Reader(*context);
  if (!peer.ok())
    return RefuseStream<v1::Opening>(parts_.stream_executor, peer.status());
  const auto stream = OpeningStream::Create(parts_.stream_executor);
  absl::Status begun = parts_.streams.Add(*peer, stream);
  begun.Update(parts_.peers.Member(*context->auth_context()).status());
  stream->Start(
      [this, begun, peer = *peer, next = LeafIndex(request->start()),
       end = LeafIndex(request->end())](
          std::deque<v1::Opening>& out) mutable -> absl::StatusOr<Pulled> {
        RETURN_IF_ERROR(begun);
        if (next >= end) return Pulled::kEnd;
        ASSIGN_OR_RETURN(const AuditLog::OpeningPage page,
                         parts_.log.Openings(peer, next, end));
        for (const Opening& opening : page.openings)
          out.push_back(ToProto(opening));
        next = page.next;
        return Pulled::kSome;
      });
  return stream.get();
}

}  // namespace amparo::broker

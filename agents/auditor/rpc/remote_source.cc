#include "agents/auditor/rpc/remote_source.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <utility>

#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/status.h"

namespace amparo::auditor {
namespace {

constexpr size_t kPemBytesMax = 64 << 10;
// The largest answer: a page of entries.
constexpr int kMessageBytesMax =
    static_cast<int>(kTileWidth * (kEntryBytesMax + 16)) + (1 << 20);
constexpr int kAttemptsMax = 6;
constexpr absl::Duration kFirstPause = absl::Milliseconds(100);

}  // namespace

absl::StatusOr<RemoteSource> RemoteSource::Connect(const Profile& profile,
                                                   const std::string& address) {
  ClientTls tls;
  ASSIGN_OR_RETURN(tls.server_ca, ReadFile(profile.ca, kPemBytesMax));
  ASSIGN_OR_RETURN(tls.certificate, ReadFile(profile.cert, kPemBytesMax));
  ASSIGN_OR_RETURN(tls.key, ReadFile(profile.key, kPemBytesMax));
  Way way{Way::Port::kMembers, address.empty() ? profile.broker : address,
          std::move(tls)};
  const auto channel = MakeChannel(way.address, MakeClientCredentials(way.tls),
                                   kMessageBytesMax);
  return RemoteSource(std::move(way), v1::LogService::NewStub(channel),
                      profile.timeout);
}

absl::Status RemoteSource::Run(
    const std::function<grpc::Status(grpc::ClientContext&)>& call) const {
  absl::Duration pause = kFirstPause;
  for (int attempt = 1;; ++attempt, pause *= 2) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         absl::ToChronoMilliseconds(timeout_));
    const absl::Status status = FromGrpc(call(context));
    if (absl::IsResourceExhausted(status) && attempt < kAttemptsMax) {
      absl::SleepFor(pause);
      continue;
    }
    if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status))
      return ExplainUnreached(way_, status, SystemClock().Now());
    return status;
  }
}

absl::StatusOr<std::string> RemoteSource::Checkpoint() {
  v1::CheckpointResponse response;
  RETURN_IF_ERROR(Run([&](grpc::ClientContext& context) {
    return stub_->GetCheckpoint(&context, v1::GetCheckpointRequest(),
                                &response);
  }));
  // Larger ones are not witnessed yet.
  return response.witnessed().empty() ? response.note() : response.witnessed();
}

absl::StatusOr<std::vector<Bytes>> RemoteSource::Entries(uint64_t start,
                                                         uint32_t count) {
  std::vector<Bytes> entries;
  while (entries.size() < count) {
    v1::GetEntriesRequest request;
    request.set_start(start + entries.size());
    request.set_count(count - static_cast<uint32_t>(entries.size()));
    v1::EntriesResponse response;
    const absl::Status status = Run([&](grpc::ClientContext& context) {
      return stub_->GetEntries(&context, request, &response);
    });
    // Past the end of the log there is nothing more.
    if (absl::IsNotFound(status) || absl::IsInvalidArgument(status) ||
        absl::IsOutOfRange(status))
      break;
    RETURN_IF_ERROR(status);
    if (response.entries().empty()) break;
    for (const std::string& entry : response.entries())
      if (entries.size() < count) entries.push_back(ToBytes(entry));
  }
  return entries;
}

absl::StatusOr<Bytes> RemoteSource::HashTile(const TileId& tile) {
  v1::GetTileRequest request;
  request.set_level(tile.level);
  request.set_index(tile.index);
  request.set_width(tile.width);
  v1::TileResponse response;
  RETURN_IF_ERROR(Run([&](grpc::ClientContext& context) {
    return stub_->GetTile(&context, request, &response);
  }));
  return ToBytes(response.hashes());
}

absl::StatusOr<std::string> RemoteSource::Document(const Digest& hash) {
  v1::GetDocumentRequest request;
  request.set_sha256(hash.bytes().data(), hash.bytes().size());
  v1::DocumentResponse response;
  RETURN_IF_ERROR(Run([&](grpc::ClientContext& context) {
    return stub_->GetDocument(&context, request, &response);
  }));
  return response.document();
}

absl::StatusOr<std::string> RemoteSource::CharterCheckpoint(uint64_t version) {
  v1::GetCharterCheckpointRequest request;
  request.set_version(version);
  v1::CheckpointResponse response;
  RETURN_IF_ERROR(Run([&](grpc::ClientContext& context) {
    return stub_->GetCharterCheckpoint(&context, request, &response);
  }));
  return response.witnessed();
}

absl::StatusOr<std::vector<Opening>> RemoteSource::Openings(uint64_t start,
                                                            uint32_t count) {
  v1::ListOpeningsRequest request;
  request.set_start(start);
  request.set_end(start + count);
  std::vector<Opening> openings;
  RETURN_IF_ERROR(Run([&](grpc::ClientContext& context) {
    openings.clear();
    const auto reader = stub_->ListOpenings(&context, request);
    v1::Opening opening;
    // More than one a leaf is no answer: the rest is not read.
    while (openings.size() <= count && reader->Read(&opening))
      openings.push_back({.leaf = opening.leaf(),
                          .salt = ToBytes(opening.salt()),
                          .event = ToBytes(opening.event())});
    if (openings.size() <= count) return reader->Finish();
    context.TryCancel();
    reader->Finish();
    return grpc::Status::OK;
  }));
  return openings;
}

}  // namespace amparo::auditor

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/auditor/leaf_source.h"
#include "agents/auditor/profile.h"
#include "amparo/v1/broker.grpc.pb.h"
#include "proto/grpc/unreached.h"

namespace amparo::auditor {

// A broker's log over gRPC, as an auditor with a certificate sees it.
// UNAVAILABLE (code "broker_unreachable") when it does not answer; what is full
// is asked again a few times. One thread at a time.
class RemoteSource : public LeafSource {
 public:
  // `address`: host:port; empty for the profile's broker.
  static absl::StatusOr<RemoteSource> Connect(const Profile& profile,
                                              const std::string& address);

  absl::StatusOr<std::string> Checkpoint() override;
  absl::StatusOr<std::vector<Bytes>> Entries(uint64_t start,
                                             uint32_t count) override;
  absl::StatusOr<Bytes> HashTile(const TileId& tile) override;
  absl::StatusOr<std::string> Document(const Digest& hash) override;
  absl::StatusOr<std::string> CharterCheckpoint(uint64_t version) override;
  bool HasOpenings() override { return true; }
  absl::StatusOr<std::vector<Opening>> Openings(uint64_t start,
                                                uint32_t count) override;

 private:
  RemoteSource(Way way, std::unique_ptr<v1::LogService::Stub> stub,
               absl::Duration timeout)
      : way_(std::move(way)), stub_(std::move(stub)), timeout_(timeout) {}

  // Runs `call` with a fresh context, again while the broker is full.
  absl::Status Run(
      const std::function<grpc::Status(grpc::ClientContext&)>& call) const;

  Way way_;
  std::unique_ptr<v1::LogService::Stub> stub_;
  absl::Duration timeout_;
};

}  // namespace amparo::auditor

#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/institution/core/broker_port.h"
#include "amparo/v1/broker.grpc.pb.h"
#include "base/mutex.h"

namespace amparo::agent {

// The broker over gRPC. Calls have a deadline of 15 s, streams none; both end
// with CANCELLED after StopStreams(). Thread-safe.
class BrokerClient final : public BrokerPort {
 public:
  explicit BrokerClient(std::shared_ptr<grpc::Channel> channel);

  absl::StatusOr<LeafReceipt> Submit(const Envelope& envelope) override;
  absl::StatusOr<LeafReceipt> Acknowledge(absl::string_view token) override;
  absl::StatusOr<LeafReceipt> Recall(absl::string_view token) override;
  absl::StatusOr<LeafReceipt> LogAnchor(const SignedAnchor& anchor) override;
  absl::StatusOr<LeafReceipt> LogAccessCheckpoint(absl::string_view note) override;
  absl::StatusOr<LeafReceipt> LogErasure(absl::string_view token) override;
  absl::StatusOr<LeafIndex> PublishKeyEvent(absl::string_view document) override;
  absl::StatusOr<TreeSize> DrainedTo(std::optional<LeafIndex> after) override;
  absl::StatusOr<std::vector<Bytes>> GetEntries(LeafIndex start,
                                                uint32_t count) override;
  absl::StatusOr<std::string> GetDocument(const Digest& hash) override;
  absl::StatusOr<std::string> GetCheckpoint() override;
  absl::StatusOr<std::string> GetCharterCheckpoint(uint64_t version) override;
  absl::Status AddCosignature(TreeSize size, ByteView cosignature) override;
  absl::Status WatchCheckpoints(
      const std::function<bool(const ShownCheckpoint& shown)>& visit) override;
  absl::Status Subscribe(std::optional<LeafIndex> after,
                         const std::function<bool(MailboxItem item)>& visit) override;
  void StopStreams() override;

  // A new certificate for the CSR, known by the one that this client shows; of a
  // new CA by `request` (CertificateRequest).
  absl::StatusOr<std::string> RenewCertificate(absl::string_view csr_pem,
                                               absl::string_view request = "");
  // What the broker says of the network's CA, a signed note (CaNote).
  absl::StatusOr<std::string> GetCa();
  // Goes on over `channel`: running calls end on the old one, streams break, and
  // whoever reads them opens them again.
  void UseChannel(std::shared_ptr<grpc::Channel> channel);

 private:
  struct Stubs {
    explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
        : relay(channel), log(channel) {}
    amparo::v1::RelayService::Stub relay;
    amparo::v1::LogService::Stub log;
  };
  std::shared_ptr<Stubs> Now() const;
  // A call or stream that StopStreams can end, from Begin to End. CANCELLED
  // once it did.
  enum class Kind { kCall, kStream };
  absl::Status Begin(grpc::ClientContext& context, Kind kind);
  absl::Status End(grpc::ClientContext& context, const grpc::Status& status);
  // One unary call; the answer, or its status with the detail.
  template <typename Response, typename Request, typename Stub, typename Method>
  absl::StatusOr<Response> Call(Stub& stub, Method method, const Request& request);
  template <typename Request, typename Stub, typename Method>
  absl::StatusOr<LeafReceipt> CallForReceipt(Stub& stub, Method method,
                                             const Request& request);
  // Reads `stream` to its end.
  template <typename Message, typename Start, typename Visit>
  absl::Status ReadStream(const Start& start, const Visit& visit);

  mutable Mutex mutex_;
  std::shared_ptr<Stubs> stubs_ ABSL_GUARDED_BY(mutex_);
  std::map<grpc::ClientContext*, Kind> running_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace amparo::agent

#pragma once

#include <functional>
#include <string>

#include "amparo/v1/broker.grpc.pb.h"
#include "broker/core/notary.h"
#include "broker/core/relay.h"
#include "broker/rpc/peer.h"
#include "broker/rpc/subscribe_reactor.h"
#include "proto/grpc/unary.h"

namespace amparo::broker {

// RelayService of broker.proto: converts, and hands to Relay and Notary. No
// thread waits for the disk: a call ends in the ledger's callback.
class RelayService final : public v1::RelayService::CallbackService {
 public:
  struct Parts {
    const Peers& peers;
    Notary& notary;
    MailboxSource mailbox;
    // A new certificate for a member, or why there is none.
    std::function<absl::StatusOr<std::string>(
        const MemberId& member, const v1::RenewCertificateRequest& request)>
        renew;
    // What a member that came with `certificate_pem` is told of the network's
    // CA.
    std::function<absl::StatusOr<std::string>(
        const MemberId& member, const std::string& certificate_pem)>
        ca_note;
    Executor& executor;  // verifies signatures
    CallObserver* observer = nullptr;
  };
  // All that `parts` refers to must outlive the service.
  explicit RelayService(Parts parts);

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context,
                                   const v1::SubmitRequest* request,
                                   v1::LeafReceipt* response) override;
  grpc::ServerWriteReactor<v1::MailboxItem>* Subscribe(
      grpc::CallbackServerContext* context,
      const v1::SubscribeRequest* request) override;
  grpc::ServerUnaryReactor* DrainedTo(grpc::CallbackServerContext* context,
                                      const v1::DrainedToRequest* request,
                                      v1::DrainedToResponse* response) override;
  grpc::ServerUnaryReactor* Acknowledge(grpc::CallbackServerContext* context,
                                        const v1::AcknowledgeRequest* request,
                                        v1::LeafReceipt* response) override;
  grpc::ServerUnaryReactor* Recall(grpc::CallbackServerContext* context,
                                   const v1::RecallRequest* request,
                                   v1::LeafReceipt* response) override;
  grpc::ServerUnaryReactor* LogAnchor(grpc::CallbackServerContext* context,
                                      const v1::LogAnchorRequest* request,
                                      v1::LeafReceipt* response) override;
  grpc::ServerUnaryReactor* LogAccessCheckpoint(
      grpc::CallbackServerContext* context,
      const v1::LogAccessCheckpointRequest* request,
      v1::LeafReceipt* response) override;
  grpc::ServerUnaryReactor* LogErasure(grpc::CallbackServerContext* context,
                                       const v1::LogErasureRequest* request,
                                       v1::LeafReceipt* response) override;
  grpc::ServerUnaryReactor* PublishKeyEvent(
      grpc::CallbackServerContext* context,
      const v1::PublishKeyEventRequest* request,
      v1::PublishKeyEventResponse* response) override;
  grpc::ServerUnaryReactor* RenewCertificate(
      grpc::CallbackServerContext* context,
      const v1::RenewCertificateRequest* request,
      v1::RenewCertificateResponse* response) override;
  grpc::ServerUnaryReactor* GetCa(grpc::CallbackServerContext* context,
                                  const v1::GetCaRequest* request,
                                  v1::CaResponse* response) override;

 private:
  using Answer = std::function<void(const LeafReceipt&)>;
  // Given the peer, starts an operation of core that ends with Done.
  using Begin = std::function<absl::Status(const MemberId& peer, Done done)>;

  // The way of every unary call here: peer, operation, answer.
  grpc::ServerUnaryReactor* Run(const char* method,
                                grpc::CallbackServerContext* context,
                                Begin begin, Answer answer);
  grpc::ServerUnaryReactor* Run(const char* method,
                                grpc::CallbackServerContext* context,
                                Begin begin, v1::LeafReceipt* response);

  const Parts parts_;
};

}  // namespace amparo::broker

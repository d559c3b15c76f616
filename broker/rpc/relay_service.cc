#include "broker/rpc/relay_service.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "broker/rpc/proto_codec.h"

namespace amparo::broker {

RelayService::RelayService(Parts parts) : parts_(std::move(parts)) {}

grpc::ServerUnaryReactor* RelayService::Run(
    const char* method, grpc::CallbackServerContext* context, Begin begin,
    Answer answer) {
  return RunUnaryAsync(
      parts_.executor, context,
      [this, context, begin = std::move(begin),
       answer = std::move(answer)](const Finisher& finish) {
        const auto peer = parts_.peers.Member(*context->auth_context());
        if (!peer.ok()) return finish(peer.status());
        const absl::Status begun =
            begin(*peer,
                  [finish, answer](const absl::StatusOr<LeafReceipt>& receipt) {
                    if (receipt.ok()) answer(*receipt);
                    finish(receipt.status());
                  });
        if (!begun.ok()) finish(begun);
      },
      {parts_.observer, method});
}

grpc::ServerUnaryReactor* RelayService::Run(
    const char* method, grpc::CallbackServerContext* context, Begin begin,
    v1::LeafReceipt* response) {
  return Run(
      method, context, std::move(begin),
      [response](const LeafReceipt& receipt) { ToProto(receipt, response); });
}

grpc::ServerUnaryReactor* RelayService::Submit(
    grpc::CallbackServerContext* context, const v1::SubmitRequest* request,
    v1::LeafReceipt* response) {
  return Run(
      "Submit", context,
      [this, request](const MemberId& peer, Done done) -> absl::Status {
        ASSIGN_OR_RETURN(Envelope envelope, FromProto(request->envelope()));
        parts_.mailbox.relay.Accept(
            peer, std::make_shared<const Envelope>(std::move(envelope)),
            std::move(done));
        return absl::OkStatus();
      },
      response);
}

grpc::ServerWriteReactor<v1::MailboxItem>* RelayService::Subscribe(
    grpc::CallbackServerContext* context, const v1::SubscribeRequest* request) {
  const auto peer = parts_.peers.Member(*context->auth_context());
  if (!peer.ok())
    return RefuseStream<v1::MailboxItem>(parts_.mailbox.executor,
                                         peer.status());
  std::optional<LeafIndex> after;
  if (!request->from_start()) after = LeafIndex(request->after_leaf());
  return SubscribeReactor(parts_.mailbox, *peer, after, [this, context] {
    return parts_.peers.Member(*context->auth_context()).status();
  });
}

grpc::ServerUnaryReactor* RelayService::DrainedTo(
    grpc::CallbackServerContext* context, const v1::DrainedToRequest* request,
    v1::DrainedToResponse* response) {
  return RunUnary(
      parts_.executor, context,
      [this, context, request, response]() -> absl::Status {
        ASSIGN_OR_RETURN(const MemberId peer,
                         parts_.peers.Member(*context->auth_context()));
        std::optional<LeafIndex> after;
        if (!request->from_start()) after = LeafIndex(request->after_leaf());
        ASSIGN_OR_RETURN(const TreeSize size,
                         parts_.mailbox.relay.DrainedTo(peer, after));
        response->set_tree_size(size.value());
        return absl::OkStatus();
      },
      {parts_.observer, "DrainedTo"});
}

grpc::ServerUnaryReactor* RelayService::Acknowledge(
    grpc::CallbackServerContext* context, const v1::AcknowledgeRequest* request,
    v1::LeafReceipt* response) {
  return Run(
      "Acknowledge", context,
      [this, request](const MemberId& peer, Done done) {
        parts_.mailbox.relay.Acknowledge(peer, request->token(),
                                         std::move(done));
        return absl::OkStatus();
      },
      response);
}

grpc::ServerUnaryReactor* RelayService::Recall(
    grpc::CallbackServerContext* context, const v1::RecallRequest* request,
    v1::LeafReceipt* response) {
  return Run(
      "Recall", context,
      [this, request](const MemberId& peer, Done done) {
        parts_.mailbox.relay.Recall(peer, request->token(), std::move(done));
        return absl::OkStatus();
      },
      response);
}

grpc::ServerUnaryReactor* RelayService::LogAnchor(
    grpc::CallbackServerContext* context, const v1::LogAnchorRequest* request,
    v1::LeafReceipt* response) {
  return Run(
      "LogAnchor", context,
      [this, request](const MemberId& peer, Done done) -> absl::Status {
        ASSIGN_OR_RETURN(SignedAnchor anchor, FromProto(request->anchor()));
        parts_.notary.LogAnchor(peer, std::move(anchor), std::move(done));
        return absl::OkStatus();
      },
      response);
}

grpc::ServerUnaryReactor* RelayService::LogAccessCheckpoint(
    grpc::CallbackServerContext* context,
    const v1::LogAccessCheckpointRequest* request, v1::LeafReceipt* response) {
  return Run(
      "LogAccessCheckpoint", context,
      [this, request](const MemberId& peer, Done done) {
        parts_.notary.LogAccessCheckpoint(peer, request->note(),
                                          std::move(done));
        return absl::OkStatus();
      },
      response);
}

grpc::ServerUnaryReactor* RelayService::LogErasure(
    grpc::CallbackServerContext* context, const v1::LogErasureRequest* request,
    v1::LeafReceipt* response) {
  return Run(
      "LogErasure", context,
      [this, request](const MemberId& peer, Done done) {
        parts_.notary.LogErasure(peer, request->token(), std::move(done));
        return absl::OkStatus();
      },
      response);
}

grpc::ServerUnaryReactor* RelayService::PublishKeyEvent(
    grpc::CallbackServerContext* context,
    const v1::PublishKeyEventRequest* request,
    v1::PublishKeyEventResponse* response) {
  return Run(
      "PublishKeyEvent", context,
      [this, request](const MemberId& peer, Done done) {
        parts_.notary.PublishKeyEvent(peer, request->document(),
                                      std::move(done));
        return absl::OkStatus();
      },
      [response](const LeafReceipt& receipt) {
        response->set_leaf(receipt.leaf.value());
        response->set_time_s(static_cast<uint64_t>(UnixSeconds(receipt.time)));
      });
}

grpc::ServerUnaryReactor* RelayService::RenewCertificate(
    grpc::CallbackServerContext* context,
    const v1::RenewCertificateRequest* request,
    v1::RenewCertificateResponse* response) {
  return RunUnary(parts_.executor, context,
                  [this, context, request, response]() -> absl::Status {
                    ASSIGN_OR_RETURN(
                        const MemberId peer,
                        parts_.peers.Member(*context->auth_context()));
                    ASSIGN_OR_RETURN(*response->mutable_certificate_pem(),
                                     parts_.renew(peer, *request));
                    return absl::OkStatus();
                  },
                  {parts_.observer, "RenewCertificate"});
}

grpc::ServerUnaryReactor* RelayService::GetCa(
    grpc::CallbackServerContext* context, const v1::GetCaRequest*,
    v1::CaResponse* response) {
  return RunUnary(
      parts_.executor, context,
      [this, context, response]() -> absl::Status {
        ASSIGN_OR_RETURN(const MemberId peer,
                         parts_.peers.Member(*context->auth_context()));
        ASSIGN_OR_RETURN(
            *response->mutable_note(),
            parts_.ca_note(peer, PeerCertificate(*context->auth_context())));
        return absl::OkStatus();
      },
      {parts_.observer, "GetCa"});
}

}  // namespace amparo::broker

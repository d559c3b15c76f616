#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "amparo/v1/broker.grpc.pb.h"
#include "proto/envelope/envelope.h"
#include "proto/grpc/status.h"

namespace amparo {

// RelayService, one blocking call at a time. A deadline ends each call, so that
// a broker that hangs fails the test.
class RelayClient {
 public:
  explicit RelayClient(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::RelayService::NewStub(channel)) {}

  template <typename Response, typename Request, typename Method>
  absl::StatusOr<Response> Call(Method method, const Request& request) {
    grpc::ClientContext context;
    SetDeadline(context);
    Response response;
    const grpc::Status status =
        (stub_.get()->*method)(&context, request, &response);
    if (!status.ok()) return FromGrpc(status);
    return response;
  }

  absl::StatusOr<v1::LeafReceipt> Submit(const Envelope& envelope) {
    v1::SubmitRequest request;
    *request.mutable_envelope() = ToProto(envelope);
    return Call<v1::LeafReceipt>(&Stub::Submit, request);
  }
  absl::StatusOr<v1::LeafReceipt> Acknowledge(const std::string& token) {
    v1::AcknowledgeRequest request;
    request.set_token(token);
    return Call<v1::LeafReceipt>(&Stub::Acknowledge, request);
  }
  absl::StatusOr<v1::LeafReceipt> Recall(const std::string& token) {
    v1::RecallRequest request;
    request.set_token(token);
    return Call<v1::LeafReceipt>(&Stub::Recall, request);
  }

  static v1::Envelope ToProto(const Envelope& envelope) {
    v1::Envelope message;
    message.set_header(ToText(envelope.header_bytes));
    message.set_enc(ToText(envelope.enc));
    message.set_ciphertext(ToText(envelope.ciphertext));
    message.set_signature(ToText(envelope.signature));
    return message;
  }

  // A subscription, read item by item; ends with the object.
  class Subscription {
   public:
    Subscription(v1::RelayService::Stub& stub,
                 std::optional<uint64_t> after_leaf) {
      SetDeadline(context_);
      v1::SubscribeRequest request;
      if (after_leaf)
        request.set_after_leaf(*after_leaf);
      else
        request.set_from_start(true);
      reader_ = stub.Subscribe(&context_, request);
    }
    ~Subscription() {
      context_.TryCancel();
      if (!finished_) reader_->Finish();
    }
    // The next item, when it comes; nullopt when the stream ended.
    std::optional<v1::MailboxItem> Next() {
      v1::MailboxItem item;
      if (!reader_->Read(&item)) return std::nullopt;
      return item;
    }
    // Why it ended; call when Next gave nothing.
    absl::Status End() {
      finished_ = true;
      return FromGrpc(reader_->Finish());
    }

   private:
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReader<v1::MailboxItem>> reader_;
    bool finished_ = false;
  };
  std::unique_ptr<Subscription> Subscribe(
      std::optional<uint64_t> after_leaf = std::nullopt) {
    return std::make_unique<Subscription>(*stub_, after_leaf);
  }

  using Stub = v1::RelayService::Stub;

 private:
  static void SetDeadline(grpc::ClientContext& context) {
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
  }

  std::unique_ptr<Stub> stub_;
};

}  // namespace amparo

#include "agents/institution/rpc/broker_client.h"

#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "proto/envelope/codec.h"
#include "proto/grpc/status.h"

namespace amparo::agent {
namespace {

constexpr std::chrono::seconds kDeadline(15);

absl::StatusOr<LeafReceipt> FromProto(const amparo::v1::LeafReceipt& message) {
  if (message.salt().size() != Digest::kSize ||
      message.signature().size() != std::tuple_size_v<Signature>)
    return absl::InvalidArgumentError("a leaf receipt with a wrong size");
  LeafReceipt receipt{LeafIndex(message.leaf()),
                      TimeFromUnix(static_cast<int64_t>(message.time_s())),
                      ToBytes(message.salt()),
                      {}};
  std::copy(message.signature().begin(), message.signature().end(),
            receipt.signature.begin());
  return receipt;
}

absl::StatusOr<Envelope> FromProto(const amparo::v1::Envelope& message) {
  return MakeEnvelope(ToBytes(message.header()), ToBytes(message.enc()),
                      ToBytes(message.ciphertext()), AsBytes(message.signature()));
}

absl::StatusOr<RecalledNotice> FromProto(const amparo::v1::RecalledEnvelope& message) {
  RecalledNotice notice{ToBytes(message.header()), {}, {}, message.token()};
  ASSIGN_OR_RETURN(notice.body, Digest::FromBytes(AsBytes(message.body())));
  if (message.signature().size() != notice.signature.size())
    return absl::InvalidArgumentError("a signature has 64 bytes");
  std::copy(message.signature().begin(), message.signature().end(),
            notice.signature.begin());
  return notice;
}

absl::StatusOr<MailboxItem> FromProto(const amparo::v1::MailboxItem& message) {
  ASSIGN_OR_RETURN(LeafReceipt receipt, FromProto(message.receipt()));
  switch (message.event_case()) {
    case amparo::v1::MailboxItem::kEnvelope: {
      ASSIGN_OR_RETURN(Envelope envelope, FromProto(message.envelope()));
      return MailboxItem{std::move(receipt), std::move(envelope)};
    }
    case amparo::v1::MailboxItem::kReceiptToken:
      return MailboxItem{std::move(receipt), ReceiptNotice{message.receipt_token()}};
    case amparo::v1::MailboxItem::kRecalled: {
      ASSIGN_OR_RETURN(RecalledNotice notice, FromProto(message.recalled()));
      return MailboxItem{std::move(receipt), std::move(notice)};
    }
    case amparo::v1::MailboxItem::kExpiredDigest: {
      ASSIGN_OR_RETURN(const Digest digest,
                       Digest::FromBytes(AsBytes(message.expired_digest())));
      return MailboxItem{std::move(receipt), ExpiredNotice{digest}};
    }
    case amparo::v1::MailboxItem::EVENT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("a mailbox item without an event");
}

}  // namespace

BrokerClient::BrokerClient(std::shared_ptr<grpc::Channel> channel)
    : stubs_(std::make_shared<Stubs>(channel)) {}

absl::Status BrokerClient::Begin(grpc::ClientContext& context, Kind kind) {
  MutexLock lock(mutex_);
  if (stopped_) return absl::CancelledError("the agent is going down");
  running_.emplace(&context, kind);
  return absl::OkStatus();
}

absl::Status BrokerClient::End(grpc::ClientContext& context,
                               const grpc::Status& status) {
  MutexLock lock(mutex_);
  running_.erase(&context);
  if (status.ok()) return absl::OkStatus();
  if (stopped_) return absl::CancelledError("the agent is going down");
  return FromGrpc(status);
}

template <typename Response, typename Request, typename Stub, typename Method>
absl::StatusOr<Response> BrokerClient::Call(Stub& stub, Method method,
                                            const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  RETURN_IF_ERROR(Begin(context, Kind::kCall));
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  RETURN_IF_ERROR(End(context, status));
  return response;
}

template <typename Request, typename Stub, typename Method>
absl::StatusOr<LeafReceipt> BrokerClient::CallForReceipt(Stub& stub, Method method,
                                                         const Request& request) {
  ASSIGN_OR_RETURN(const amparo::v1::LeafReceipt response,
                   (Call<amparo::v1::LeafReceipt>(stub, method, request)));
  return FromProto(response);
}

std::shared_ptr<BrokerClient::Stubs> BrokerClient::Now() const {
  MutexLock lock(mutex_);
  return stubs_;
}

void BrokerClient::UseChannel(std::shared_ptr<grpc::Channel> channel) {
  auto stubs = std::make_shared<Stubs>(channel);
  MutexLock lock(mutex_);
  stubs_ = std::move(stubs);
  for (const auto& [context, kind] : running_)
    if (kind == Kind::kStream) context->TryCancel();
}

absl::StatusOr<std::string> BrokerClient::RenewCertificate(
    absl::string_view csr_pem, absl::string_view request_by_identity) {
  amparo::v1::RenewCertificateRequest request;
  request.set_csr_pem(csr_pem.data(), csr_pem.size());
  request.set_request(request_by_identity.data(), request_by_identity.size());
  ASSIGN_OR_RETURN(
      amparo::v1::RenewCertificateResponse response,
      (Call<amparo::v1::RenewCertificateResponse>(
          Now()->relay, &amparo::v1::RelayService::Stub::RenewCertificate, request)));
  return std::move(*response.mutable_certificate_pem());
}

absl::StatusOr<std::string> BrokerClient::GetCa() {
  ASSIGN_OR_RETURN(amparo::v1::CaResponse response,
                   (Call<amparo::v1::CaResponse>(
                       Now()->relay, &amparo::v1::RelayService::Stub::GetCa,
                       amparo::v1::GetCaRequest())));
  return std::move(*response.mutable_note());
}

absl::StatusOr<LeafReceipt> BrokerClient::Submit(const Envelope& envelope) {
  amparo::v1::SubmitRequest request;
  amparo::v1::Envelope& message = *request.mutable_envelope();
  message.set_header(envelope.header_bytes.data(), envelope.header_bytes.size());
  message.set_enc(envelope.enc.data(), envelope.enc.size());
  message.set_ciphertext(envelope.ciphertext.data(), envelope.ciphertext.size());
  message.set_signature(envelope.signature.data(), envelope.signature.size());
  return CallForReceipt(Now()->relay, &amparo::v1::RelayService::Stub::Submit, request);
}

absl::StatusOr<LeafReceipt> BrokerClient::Acknowledge(absl::string_view token) {
  amparo::v1::AcknowledgeRequest request;
  request.set_token(token.data(), token.size());
  return CallForReceipt(Now()->relay, &amparo::v1::RelayService::Stub::Acknowledge, request);
}

absl::StatusOr<LeafReceipt> BrokerClient::Recall(absl::string_view token) {
  amparo::v1::RecallRequest request;
  request.set_token(token.data(), token.size());
  return CallForReceipt(Now()->relay, &amparo::v1::RelayService::Stub::Recall, request);
}

absl::StatusOr<LeafReceipt> BrokerClient::LogAnchor(const SignedAnchor& anchor) {
  amparo::v1::LogAnchorRequest request;
  request.mutable_anchor()->set_anchor(anchor.anchor_bytes.data(),
                                       anchor.anchor_bytes.size());
  request.mutable_anchor()->set_signature(anchor.signature.data(),
                                          anchor.signature.size());
  return CallForReceipt(Now()->relay, &amparo::v1::RelayService::Stub::LogAnchor, request);
}

absl::StatusOr<LeafReceipt> BrokerClient::LogAccessCheckpoint(absl::string_view note) {
  amparo::v1::LogAccessCheckpointRequest request;
  request.set_note(note.data(), note.size());
  return CallForReceipt(Now()->relay, &amparo::v1::RelayService::Stub::LogAccessCheckpoint, request);
}

absl::StatusOr<LeafReceipt> BrokerClient::LogErasure(absl::string_view token) {
  amparo::v1::LogErasureRequest request;
  request.set_token(token.data(), token.size());
  return CallForReceipt(Now()->relay, &amparo::v1::RelayService::Stub::LogErasure, request);
}

absl::StatusOr<LeafIndex> BrokerClient::PublishKeyEvent(absl::string_view document) {
  amparo::v1::PublishKeyEventRequest request;
  request.set_document(document.data(), document.size());
  ASSIGN_OR_RETURN(const amparo::v1::PublishKeyEventResponse response,
                   (Call<amparo::v1::PublishKeyEventResponse>(
                       Now()->relay, &amparo::v1::RelayService::Stub::PublishKeyEvent, request)));
  return LeafIndex(response.leaf());
}

absl::StatusOr<TreeSize> BrokerClient::DrainedTo(std::optional<LeafIndex> after) {
  amparo::v1::DrainedToRequest request;
  request.set_from_start(!after.has_value());
  if (after) request.set_after_leaf(after->value());
  ASSIGN_OR_RETURN(const amparo::v1::DrainedToResponse response,
                   (Call<amparo::v1::DrainedToResponse>(
                       Now()->relay, &amparo::v1::RelayService::Stub::DrainedTo, request)));
  return TreeSize(response.tree_size());
}

absl::StatusOr<std::vector<Bytes>> BrokerClient::GetEntries(LeafIndex start,
                                                            uint32_t count) {
  amparo::v1::GetEntriesRequest request;
  request.set_start(start.value());
  request.set_count(count);
  ASSIGN_OR_RETURN(const amparo::v1::EntriesResponse response,
                   (Call<amparo::v1::EntriesResponse>(
                       Now()->log, &amparo::v1::LogService::Stub::GetEntries, request)));
  std::vector<Bytes> entries;
  entries.reserve(static_cast<size_t>(response.entries_size()));
  for (const std::string& entry : response.entries()) entries.push_back(ToBytes(entry));
  return entries;
}

absl::StatusOr<std::string> BrokerClient::GetDocument(const Digest& hash) {
  amparo::v1::GetDocumentRequest request;
  request.set_sha256(hash.bytes().data(), hash.bytes().size());
  ASSIGN_OR_RETURN(amparo::v1::DocumentResponse response,
                   (Call<amparo::v1::DocumentResponse>(
                       Now()->log, &amparo::v1::LogService::Stub::GetDocument, request)));
  return std::move(*response.mutable_document());
}

absl::StatusOr<std::string> BrokerClient::GetCheckpoint() {
  ASSIGN_OR_RETURN(amparo::v1::CheckpointResponse response,
                   (Call<amparo::v1::CheckpointResponse>(
                       Now()->log, &amparo::v1::LogService::Stub::GetCheckpoint,
                       amparo::v1::GetCheckpointRequest())));
  return std::move(*response.mutable_note());
}

template <typename Message, typename Start, typename Visit>
absl::Status BrokerClient::ReadStream(const Start& start, const Visit& visit) {
  grpc::ClientContext context;
  RETURN_IF_ERROR(Begin(context, Kind::kStream));
  auto reader = start(context);
  absl::Status visited;
  for (Message message; visited.ok() && reader->Read(&message);)
    visited = visit(message);
  // One that has more to say; of one that is over it would spoil the status.
  if (!visited.ok()) context.TryCancel();
  const absl::Status ended = End(context, reader->Finish());
  if (!visited.ok()) return visited;
  return ended.ok() ? absl::UnavailableError("the broker ended the stream") : ended;
}

absl::StatusOr<std::string> BrokerClient::GetCharterCheckpoint(uint64_t version) {
  amparo::v1::GetCharterCheckpointRequest request;
  request.set_version(version);
  ASSIGN_OR_RETURN(amparo::v1::CheckpointResponse response,
                   (Call<amparo::v1::CheckpointResponse>(
                       Now()->log, &amparo::v1::LogService::Stub::GetCharterCheckpoint,
                       request)));
  return std::move(*response.mutable_witnessed());
}

absl::Status BrokerClient::AddCosignature(TreeSize size, ByteView cosignature) {
  amparo::v1::AddCosignatureRequest request;
  request.set_tree_size(size.value());
  request.set_cosignature(ToText(cosignature));
  return Call<amparo::v1::AddCosignatureResponse>(
             Now()->log, &amparo::v1::LogService::Stub::AddCosignature, request)
      .status();
}

absl::Status BrokerClient::WatchCheckpoints(
    const std::function<bool(const ShownCheckpoint& shown)>& visit) {
  const auto stubs = Now();  // as long as the stream
  return ReadStream<amparo::v1::CheckpointResponse>(
      [&](grpc::ClientContext& context) {
        return stubs->log.WatchCheckpoints(&context, amparo::v1::WatchCheckpointsRequest());
      },
      [&](const amparo::v1::CheckpointResponse& message) -> absl::Status {
        if (!visit({message.note(), message.witnessed(),
                    TreeSize(message.rebuilt_to()), LeafIndex(message.rebuilt_from())}))
          return absl::AbortedError("the reader ended it");
        return absl::OkStatus();
      });
}

absl::Status BrokerClient::Subscribe(
    std::optional<LeafIndex> after,
    const std::function<bool(MailboxItem item)>& visit) {
  amparo::v1::SubscribeRequest request;
  request.set_from_start(!after.has_value());
  if (after) request.set_after_leaf(after->value());
  const auto stubs = Now();
  return ReadStream<amparo::v1::MailboxItem>(
      [&](grpc::ClientContext& context) {
        return stubs->relay.Subscribe(&context, request);
      },
      [&](const amparo::v1::MailboxItem& message) -> absl::Status {
        ASSIGN_OR_RETURN(MailboxItem item, FromProto(message));
        if (!visit(std::move(item))) return absl::AbortedError("the reader ended it");
        return absl::OkStatus();
      });
}

void BrokerClient::StopStreams() {
  MutexLock lock(mutex_);
  stopped_ = true;
  for (const auto& [context, kind] : running_) context->TryCancel();
}

}  // namespace amparo::agent

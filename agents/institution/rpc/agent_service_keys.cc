#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "agents/institution/core/access.h"
#include "agents/institution/rpc/agent_service.h"
#include "agents/institution/rpc/proto_codec.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/envelope/ids.h"

// The part of AgentService that is about the agent's own keys and its backup.

namespace amparo::agent {
namespace {

constexpr size_t kRequestIdBytesMax = 128;

absl::StatusOr<std::string> RequestIdOf(const std::string& id) {
  if (id.empty()) return EventId::New().text();
  if (id.size() <= kRequestIdBytesMax) return id;
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "the request id is too long",
                   {.code = "usage",
                    .field = "request_id",
                    .expected = "128 bytes at most"});
}

absl::StatusOr<std::optional<Digest>> KidFromProto(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto kid = Digest::Parse(text);
  if (kid.ok()) return *kid;
  return MakeError(absl::StatusCode::kInvalidArgument, "this is no key id",
                   {.code = "usage",
                    .field = "kid",
                    .expected = "sha256: and 64 hex digits, or nothing for the "
                                "key in force"});
}

v1::SigningKeyView ToProto(const SignerRecord& signer,
                           const std::optional<SignerRecord>& current,
                           const KeyRing& keys) {
  const Digest kid = signer.key.Thumbprint();
  v1::SigningKeyView view;
  view.set_kid(kid.ToString());
  view.set_leaf(signer.leaf.value());
  view.set_logged_at_s(ToSeconds(signer.logged_at));
  view.set_until_s(ToSeconds(signer.until));
  view.set_in_force(current && current->key == signer.key);
  view.set_revoked(signer.revoked_at.has_value());
  if (signer.revoked_at) view.set_revoked_leaf(signer.revoked_at->value());
  view.set_own(keys.IsOwn(kid));
  if (signer.vouched_by) view.set_vouched_by(signer.vouched_by->ToString());
  return view;
}

}  // namespace

grpc::ServerUnaryReactor* AgentService::ListKeys(
    grpc::CallbackServerContext* context, const v1::ListKeysRequest*,
    v1::ListKeysResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    RETURN_IF_ERROR(AllowedByRole(officer, Action::kSeeKeys));
    const auto peers = parts_.peers.Now();
    const MemberId& self = parts_.keys.self();
    const auto current = peers->keys.CurrentSigner(self);
    for (const SignerRecord& signer : peers->keys.SignersOf(self))
      *response->add_keys() = ToProto(signer, current, parts_.keys);
    response->set_key_words(parts_.peers.KeyWordsOf(self));
    return absl::OkStatus();
  });
}

// Asking again how far an order is leaves no second record.
absl::Status AgentService::LogNewOrder(const Officer& officer,
                                       const char* action,
                                       absl::string_view request_id) const {
  const auto last = parts_.keys.LastOrder();
  if (last && last->request_id == request_id) return absl::OkStatus();
  return parts_.access_log.Write({.officer = officer.id, .action = action});
}

std::string AgentService::WaitsFor() const {
  if (!parts_.status.broker_reachable()) return "broker";
  if (parts_.status.sealing_waits_for() == "clock") return "clock";
  if (!parts_.peers.ActiveMember(parts_.keys.self(), parts_.clock.Now()).ok())
    return "member";
  return "log";
}

void AgentService::FillOrder(const KeyOrder& order,
                             v1::KeyOrderView& response) const {
  const auto peers = parts_.peers.Now();
  const MemberId& self = parts_.keys.self();
  const auto current = peers->keys.CurrentSigner(self);
  response.set_done(order.done);
  response.set_request_id(order.request_id);
  if (order.kind == KeyOrder::Kind::kRevoke)
    for (const SignerRecord& signer : peers->keys.SignersOf(self))
      if (signer.key.Thumbprint() == order.kid && signer.revoked_at)
        *response.mutable_revoked() = ToProto(signer, current, parts_.keys);
  if (!order.done) return response.set_waits_for(WaitsFor());
  if (!current) return;
  *response.mutable_signing() = ToProto(*current, current, parts_.keys);
  response.set_key_words(parts_.peers.KeyWordsOf(self));
  if (const auto prekeys = peers->keys.Prekeys(self); !prekeys.empty()) {
    response.set_prekey_leaf(prekeys.front().leaf.value());
    response.set_prekey_until_s(ToSeconds(prekeys.front().until));
  }
  const Charter& charter = peers->charter.charter;
  if (current->vouched || current->vouched_by ||
      charter.trust_delay == absl::ZeroDuration())
    return;
  // What the others do is PeerBook::CheckTrust at their agents.
  if (charter.witness_quorum > 0)
    response.set_trusted_from_s(
        ToSeconds(current->logged_at + charter.trust_delay));
  else
    response.set_words_needed(true);
}

grpc::ServerUnaryReactor* AgentService::RotateKeys(
    grpc::CallbackServerContext* context, const v1::RotateKeysRequest* request,
    v1::KeyOrderView* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    RETURN_IF_ERROR(AllowedByRole(officer, Action::kManageKeys));
    ASSIGN_OR_RETURN(const std::string id, RequestIdOf(request->request_id()));
    RETURN_IF_ERROR(LogNewOrder(officer, "keys_rotate", id));
    ASSIGN_OR_RETURN(const KeyOrder order, parts_.keys.OrderRotation(id));
    if (!order.done) parts_.keys_ordered();
    FillOrder(order, *response);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AgentService::RevokeKey(
    grpc::CallbackServerContext* context, const v1::RevokeKeyRequest* request,
    v1::KeyOrderView* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    RETURN_IF_ERROR(AllowedByRole(officer, Action::kManageKeys));
    ASSIGN_OR_RETURN(const std::string id, RequestIdOf(request->request_id()));
    ASSIGN_OR_RETURN(const auto kid, KidFromProto(request->kid()));
    RETURN_IF_ERROR(LogNewOrder(officer, "key_revoke", id));
    ASSIGN_OR_RETURN(const KeyOrder order,
                     parts_.keys.OrderRevocation(id, kid));
    if (!order.done) parts_.keys_ordered();
    FillOrder(order, *response);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AgentService::CopyStore(
    grpc::CallbackServerContext* context, const v1::CopyStoreRequest*,
    v1::CopyStoreResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    RETURN_IF_ERROR(AllowedByRole(officer, Action::kManageKeys));
    RETURN_IF_ERROR(
        parts_.access_log.Write({.officer = officer.id, .action = "backup"}));
    ASSIGN_OR_RETURN(std::string path, parts_.copy_store());
    response->set_path(std::move(path));
    return absl::OkStatus();
  });
}

}  // namespace amparo::agent

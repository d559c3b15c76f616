#include "agents/institution/rpc/directory_service.h"

#include "agents/institution/rpc/proto_codec.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/network/words.h"

namespace amparo::agent {

v1::MemberView DirectoryService::ViewOf(const Member& member,
                                        const Peers& peers) const {
  v1::MemberView view;
  view.set_member(member.id.text());
  view.set_name(member.name);
  view.set_kind(std::string(NameOf(member.kind)));
  if (member.parent) view.set_parent(member.parent->text());
  for (const std::string& place : member.territory) view.add_territory(place);
  view.set_contact(member.contact);
  view.set_status(std::string(NameOf(member.status)));
  view.set_since_s(ToSeconds(member.since));
  view.set_reachable(peers_.PrekeyFor(member.id, clock_.Now()).ok());
  const auto signer = peers.keys.CurrentSigner(member.id);
  if (member.identity_key && signer)
    view.set_key_words(KeyWords(*member.identity_key, signer->key));
  view.set_key_confirmed(peers_.KeysConfirmed(member.id));
  return view;
}

grpc::ServerUnaryReactor* DirectoryService::List(
    grpc::CallbackServerContext* context, const v1::ListMembersRequest*,
    v1::ListMembersResponse* response) {
  return edge_.Run(context, [=, this](const Officer&) -> absl::Status {
    const auto peers = peers_.Now();
    for (const Member& member : peers->charter.charter.members)
      *response->add_members() = ViewOf(member, *peers);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* DirectoryService::Show(
    grpc::CallbackServerContext* context, const v1::ShowMemberRequest* request,
    v1::MemberView* response) {
  return edge_.Run(context, [=, this](const Officer&) -> absl::Status {
    const auto peers = peers_.Now();
    const auto id = MemberId::Parse(request->member());
    const Member* member = id.ok() ? peers->charter.charter.Find(*id) : nullptr;
    if (member == nullptr)
      return MakeError(absl::StatusCode::kNotFound,
                       "no such member in this network",
                       {.code = "unknown_member", .field = "member"});
    *response = ViewOf(*member, *peers);
    return absl::OkStatus();
  });
}

}  // namespace amparo::agent

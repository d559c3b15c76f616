#include "agents/institution/rpc/directory_service.h"

#include "agents/institution/core/confirm_key.h"
#include "agents/institution/rpc/proto_codec.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::agent {

v1::MemberView DirectoryService::ViewOf(const Member& member) const {
  const PeerBook& peers = desk_.peers;
  v1::MemberView view;
  view.set_member(member.id.text());
  view.set_name(member.name);
  view.set_kind(std::string(NameOf(member.kind)));
  if (member.parent) view.set_parent(member.parent->text());
  for (const std::string& place : member.territory) view.add_territory(place);
  view.set_contact(member.contact);
  view.set_status(std::string(NameOf(member.status)));
  view.set_since_s(ToSeconds(member.since));
  view.set_reachable(peers.PrekeyFor(member.id, desk_.clock.Now()).ok());
  view.set_key_words(peers.KeyWordsOf(member.id));
  view.set_key_confirmed(peers.KeysConfirmed(member.id));
  return view;
}

absl::StatusOr<Member> DirectoryService::Find(absl::string_view id) const {
  const auto charter = CharterAt(desk_.peers.Now(), desk_.clock.Now());
  const auto parsed = MemberId::Parse(id);
  const Member* member = parsed.ok() ? charter->Find(*parsed) : nullptr;
  if (member == nullptr)
    return MakeError(absl::StatusCode::kNotFound,
                     "no such member in this network",
                     {.code = "unknown_member", .field = "member"});
  return *member;
}

grpc::ServerUnaryReactor* DirectoryService::List(
    grpc::CallbackServerContext* context, const v1::ListMembersRequest*,
    v1::ListMembersResponse* response) {
  return edge_.Run(context, [=, this](const Officer&) -> absl::Status {
    const auto charter = CharterAt(desk_.peers.Now(), desk_.clock.Now());
    for (const Member& member : charter->members)
      *response->add_members() = ViewOf(member);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* DirectoryService::Show(
    grpc::CallbackServerContext* context, const v1::ShowMemberRequest* request,
    v1::MemberView* response) {
  return edge_.Run(context, [=, this](const Officer&) -> absl::Status {
    ASSIGN_OR_RETURN(const Member member, Find(request->member()));
    *response = ViewOf(member);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* DirectoryService::Confirm(
    grpc::CallbackServerContext* context, const v1::ConfirmKeyRequest* request,
    v1::MemberView* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const Member member, Find(request->member()));
    RETURN_IF_ERROR(
        ConfirmKey(desk_, officer, member.id, request->key_words()));
    *response = ViewOf(member);
    return absl::OkStatus();
  });
}

}  // namespace amparo::agent

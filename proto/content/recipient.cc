#include "proto/content/recipient.h"

#include <string>

#include "proto/content/strict_reader.h"

namespace amparo {

bool RecipientRule::Matches(const MemberId& id, MemberKind kind_of_id) const {
  if (const MemberId* named = member()) return *named == id;
  return *kind() == kind_of_id;
}

Json EncodeRecipient(const RecipientRule& rule) {
  Json json = Json::object();
  if (const MemberId* member = rule.member())
    json["member"] = member->text();
  else
    json["kind"] = std::string(NameOf(*rule.kind()));
  return json;
}

std::optional<RecipientRule> ReadRecipient(StrictReader& reader) {
  reader.Keys({"member", "kind"});
  if (reader.Has("member")) {
    if (reader.Has("kind")) reader.Fail("kind", "member or kind, not both");
    const std::optional<MemberId> member = reader.Member("member");
    if (!member) return std::nullopt;
    return RecipientRule(*member);
  }
  const absl::StatusOr<MemberKind> kind = ParseMemberKind(reader.Text("kind"));
  if (kind.ok() && HasMailbox(*kind)) return RecipientRule(*kind);
  reader.Fail("kind", "a kind of member that receives referrals");
  return std::nullopt;
}

}  // namespace amparo

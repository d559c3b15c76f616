#pragma once

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "base/json.h"
#include "proto/network/member.h"

namespace amparo {

// Whom a provision means: one member, or every member of a kind.
class RecipientRule {
 public:
  explicit RecipientRule(MemberId member) : rule_(std::move(member)) {}
  explicit RecipientRule(MemberKind kind) : rule_(kind) {}

  bool Matches(const MemberId& member, MemberKind kind) const;
  // Null unless the rule names one member (a kind).
  const MemberId* member() const { return std::get_if<MemberId>(&rule_); }
  const MemberKind* kind() const { return std::get_if<MemberKind>(&rule_); }
  bool operator==(const RecipientRule&) const = default;

 private:
  std::variant<MemberId, MemberKind> rule_;
};

// {"member": "uls"} or {"kind": "police"}.
Json EncodeRecipient(const RecipientRule& rule);
absl::StatusOr<RecipientRule> DecodeRecipient(const Json& json);

}  // namespace amparo

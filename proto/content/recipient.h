#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/json.h"
#include "proto/network/member.h"

namespace amparo {

class StrictReader;

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

// {"member": "uls"} or {"kind": "police"}; the fault is the reader's.
Json EncodeRecipient(const RecipientRule& rule);
std::optional<RecipientRule> ReadRecipient(StrictReader& reader);

}  // namespace amparo

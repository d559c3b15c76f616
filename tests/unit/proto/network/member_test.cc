#include "proto/network/member.h"

#include <set>

#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

TEST(MemberKind, EveryNameIsReadBack) {
  std::set<std::string> names;
  for (const MemberKind kind : AllMemberKinds()) {
    EXPECT_EQ(VALUE_OF(ParseMemberKind(NameOf(kind))), kind);
    names.insert(std::string(NameOf(kind)));
  }
  EXPECT_EQ(names.size(), 14u);
}

TEST(MemberKind, UnknownNamesAreRefused) {
  for (const char* name : {"", "ngo", "Police", "police "})
    EXPECT_THAT(ParseMemberKind(name),
                StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(MemberKind, WatchersHaveNoMailbox) {
  for (const MemberKind kind : AllMemberKinds())
    EXPECT_EQ(HasMailbox(kind), kind != MemberKind::kAuditor &&
                                    kind != MemberKind::kStatistician);
}

TEST(MemberStatus, EveryNameIsReadBackAndOthersAreRefused) {
  for (const char* name : {"invited", "active", "suspended", "left"})
    EXPECT_EQ(std::string(NameOf(VALUE_OF(ParseMemberStatus(name)))), name);
  EXPECT_THAT(ParseMemberStatus("gone"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace amparo

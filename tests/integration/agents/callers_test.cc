#include "tests/integration/agents/api_fixture.h"

// Who is who on the socket: the uid of its caller says it.

namespace amparo::agent {
namespace {

class SocketCallers : public ApiTest {
 protected:
  SocketCallers() : stub_(channel_) {}
  absl::StatusOr<v1::StatusResponse> StatusAs(const std::string& handle) {
    return Call(stub_, &v1::AgentService::Stub::Status, v1::StatusRequest(),
                handle);
  }
  v1::AgentService::Stub stub_;
};

TEST_F(SocketCallers, AreOfficersOfTheirUid) {
  EXPECT_EQ(VALUE_OF(StatusAs("me")).officer().handle(), "me");
  EXPECT_EQ(VALUE_OF(StatusAs("root")).officer().handle(), "root");
}

TEST_F(SocketCallers, AreNobodyByAnothersHandle) {
  // "ana" is an officer here, for another uid.
  EXPECT_THAT(StatusAs("ana"), HasErrorCode("not_an_officer"));
  EXPECT_THAT(StatusAs("nobody"), HasErrorCode("not_an_officer"));
}

TEST_F(SocketCallers, MustSayWhoTheyAreWhenThereAreSeveral) {
  EXPECT_THAT(StatusAs(""), HasErrorCode("not_an_officer"));
}

}  // namespace
}  // namespace amparo::agent

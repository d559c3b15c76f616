#include "agents/institution/core/officers.h"

#include "base/kv/memory_kv.h"
#include "tests/unit/agents/institution/core/error_code.h"

namespace amparo::agent {
namespace {

class Officers : public testing::Test {
 protected:
  Officers() : book_(VALUE_OF(OfficerBook::Open(kv_))) {}

  static Handle Named(const std::string& handle) {
    return VALUE_OF(Handle::Parse(handle));
  }
  absl::StatusOr<Officer> Add(const std::string& handle,
                              std::vector<uint32_t> uids,
                              std::optional<Digest> certificate = {}) {
    return book_->Add(Named(handle), {Role::kOfficer}, std::move(uids),
                      certificate);
  }
  std::string HandleOf(const CallerClaim& claim) {
    const auto officer = book_->Identify(claim);
    return officer.ok() ? officer->handle.text()
                        : ErrorCodeOf(officer.status());
  }

  MemoryKv kv_;
  std::unique_ptr<OfficerBook> book_;
};

TEST_F(Officers, AreWhoTheTransportProves) {
  const Digest system = Sha256(absl::string_view("certificate"));
  ASSERT_OK(Add("ana", {1000, 1001}));
  ASSERT_OK(Add("rui", {1001}));
  ASSERT_OK(Add("system", {}, system));
  const struct {
    const char* name;
    CallerClaim claim;
    const char* handle;
  } cases[] = {
      {"its uid and handle", {1000, {}, "ana"}, "ana"},
      {"the only one of the uid", {1000, {}, ""}, "ana"},
      {"one of two, named", {1001, {}, "rui"}, "rui"},
      {"one of two, not named", {1001, {}, ""}, "not_an_officer"},
      {"another's handle", {1000, {}, "rui"}, "not_an_officer"},
      {"another uid", {0, {}, "ana"}, "not_an_officer"},
      {"no proof at all", {{}, {}, "ana"}, "not_an_officer"},
      {"a certificate", {{}, system, "system"}, "system"},
      {"a certificate alone", {{}, system, ""}, "system"},
      {"another certificate", {{}, Digest(), "system"}, "not_an_officer"},
      {"a certificate for a uid's officer",
       {{}, system, "ana"},
       "not_an_officer"},
      {"nobody", {{}, {}, ""}, "not_an_officer"},
  };
  for (const auto& test : cases)
    EXPECT_EQ(HandleOf(test.claim), test.handle) << test.name;
}

TEST_F(Officers, WithoutACertificateAreNotProvenByNone) {
  ASSERT_OK(Add("ana", {1000}));
  EXPECT_EQ(HandleOf({{}, {}, ""}), "not_an_officer");
}

TEST_F(Officers, AreStillThereAfterARestart) {
  const Officer ana = VALUE_OF(
      book_->Add(Named("ana"), {Role::kOfficer, Role::kAdmin}, {1000}, {}));
  const auto again = VALUE_OF(OfficerBook::Open(kv_));
  const Officer same = VALUE_OF(again->Identify({1000, {}, "ana"}));
  EXPECT_EQ(same.id, ana.id);
  EXPECT_TRUE(same.Has(Role::kAdmin));
  EXPECT_FALSE(same.Has(Role::kAuditor));
}

TEST_F(Officers, HaveAHandleOfTheirOwnARoleAndAProof) {
  ASSERT_OK(Add("ana", {1000}));
  EXPECT_THAT(Add("ana", {1001}), HasErrorCode("conflict"));
  EXPECT_THAT(Add("rui", {}), HasErrorCode("usage"));
  EXPECT_THAT(book_->Add(Named("rui"), {}, {1}, {}), HasErrorCode("usage"));
  EXPECT_EQ(book_->List().size(), 1u);
}

TEST_F(Officers, AreNotAddedWhenTheDiskFails) {
  kv_.FailWrites(absl::InternalError("disk"));
  EXPECT_FALSE(Add("ana", {1000}).ok());
  EXPECT_TRUE(book_->List().empty());
}

TEST(Roles, HaveTheNamesOfTheCommandLine) {
  for (const char* name :
       {"officer", "supervisor", "admin", "auditor", "it_system"})
    EXPECT_EQ(NameOf(VALUE_OF(ParseRole(name))), name);
  EXPECT_THAT(ParseRole("king"), HasErrorCode("usage"));
  EXPECT_THAT(ParseRole(""), HasErrorCode("usage"));
}

}  // namespace
}  // namespace amparo::agent

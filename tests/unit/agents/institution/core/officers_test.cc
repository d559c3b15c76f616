#include "agents/institution/core/officers.h"

#include "base/kv/memory_kv.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/agents/institution/core/error_code.h"

namespace amparo::agent {
namespace {

class Officers : public testing::Test {
 protected:
  Officers() : book_(VALUE_OF(OfficerBook::Open(kv_, clock_))) {}

  static Handle Named(const std::string& handle) {
    return VALUE_OF(Handle::Parse(handle));
  }
  absl::StatusOr<Officer> Add(const std::string& handle,
                              std::vector<uint32_t> uids) {
    return book_->Add(Named(handle), {Role::kOfficer}, std::move(uids), {});
  }
  // A certificate that begins an hour ago and ends in an hour.
  ClientCertificate CertificateOf(absl::string_view name) const {
    return {Sha256(name), clock_.Now() - absl::Hours(1),
            clock_.Now() + absl::Hours(1)};
  }
  absl::StatusOr<Officer> AddSystem(const std::string& handle,
                                    const ClientCertificate& certificate) {
    return book_->Add(Named(handle), {Role::kItSystem}, {}, certificate);
  }
  std::string HandleOf(const CallerClaim& claim) {
    const auto officer = book_->Identify(claim);
    return officer.ok() ? officer->handle.text()
                        : ErrorCodeOf(officer.status());
  }

  FakeClock clock_;
  MemoryKv kv_;
  std::unique_ptr<OfficerBook> book_;
};

TEST_F(Officers, AreWhoTheTransportProves) {
  const Digest system = Sha256(absl::string_view("certificate"));
  ASSERT_OK(Add("ana", {1000, 1001}));
  ASSERT_OK(Add("rui", {1001}));
  ASSERT_OK(AddSystem("system", CertificateOf("certificate")));
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
  const auto again = VALUE_OF(OfficerBook::Open(kv_, clock_));
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

TEST_F(Officers, AreSystemsByACertificateAlone) {
  const ClientCertificate good = CertificateOf("good");
  for (const Role role :
       {Role::kOfficer, Role::kSupervisor, Role::kAdmin, Role::kAuditor}) {
    EXPECT_THAT(book_->Add(Named("system"), {role}, {}, good),
                HasErrorCode("usage"));
    EXPECT_THAT(book_->Add(Named("system"), {Role::kItSystem, role}, {}, good),
                HasErrorCode("usage"));
  }
  // A uid beside it would let two prove one record.
  EXPECT_THAT(book_->Add(Named("system"), {Role::kItSystem}, {1000}, good),
              HasErrorCode("usage"));
  EXPECT_OK(AddSystem("system", good));
}

TEST_F(Officers, ArePermittedOnceForACertificate) {
  const ClientCertificate certificate = CertificateOf("one");
  ASSERT_OK(AddSystem("records", certificate));
  EXPECT_THAT(AddSystem("again", certificate), HasErrorCode("conflict"));
  ASSERT_OK(book_->Remove(Named("records")));
  EXPECT_THAT(AddSystem("again", certificate), HasErrorCode("conflict"));
  const auto reopened = VALUE_OF(OfficerBook::Open(kv_, clock_));
  EXPECT_THAT(reopened->Add(Named("again"), {Role::kItSystem}, {}, certificate),
              HasErrorCode("conflict"));
}

TEST_F(Officers, AreNobodyOutsideTheTimeOfTheirCertificate) {
  const ClientCertificate certificate = CertificateOf("system");
  const Officer system = VALUE_OF(AddSystem("system", certificate));
  const CallerClaim claim{{}, certificate.hash, ""};
  EXPECT_EQ(HandleOf(claim), "system");
  EXPECT_TRUE(book_->Admits(certificate.hash));
  EXPECT_OK(book_->StillServes(system.id));
  clock_.Advance(absl::Hours(1) + absl::Seconds(1));
  EXPECT_EQ(HandleOf(claim), "not_an_officer");
  EXPECT_FALSE(book_->Admits(certificate.hash));
  EXPECT_THAT(book_->StillServes(system.id), HasErrorCode("not_an_officer"));

  ClientCertificate early = CertificateOf("early");
  early.from = clock_.Now() + absl::Minutes(1);
  ASSERT_OK(AddSystem("early", early));
  EXPECT_FALSE(book_->Admits(early.hash));
  clock_.Advance(absl::Minutes(2));
  EXPECT_TRUE(book_->Admits(early.hash));
}

TEST_F(Officers, AreNotAddedByACertificateThatHasEnded) {
  ClientCertificate ended = CertificateOf("ended");
  ended.until = clock_.Now() - absl::Seconds(1);
  EXPECT_THAT(AddSystem("system", ended), HasErrorCode("usage"));
}

TEST_F(Officers, AreNobodyOnceRemoved) {
  const ClientCertificate certificate = CertificateOf("system");
  ASSERT_OK(Add("ana", {1000}));
  const Officer system = VALUE_OF(AddSystem("system", certificate));
  const Officer removed = VALUE_OF(book_->Remove(Named("system")));
  EXPECT_EQ(removed.id, system.id);
  EXPECT_EQ(removed.removed_at, TimeFromUnix(UnixSeconds(clock_.Now())));
  ASSERT_OK(book_->Remove(Named("ana")));
  for (const bool restarted : {false, true}) {
    if (restarted) book_ = VALUE_OF(OfficerBook::Open(kv_, clock_));
    EXPECT_EQ(HandleOf({{}, certificate.hash, "system"}), "not_an_officer");
    EXPECT_EQ(HandleOf({1000, {}, "ana"}), "not_an_officer");
    EXPECT_FALSE(book_->Admits(certificate.hash));
    EXPECT_THAT(book_->StillServes(system.id), HasErrorCode("not_an_officer"));
    // The access log names them for as long as it is read.
    EXPECT_EQ(book_->List().size(), 2u);
    // And nobody else gets a name that stands in it.
    EXPECT_THAT(Add("ana", {1000}), HasErrorCode("conflict"));
    EXPECT_THAT(book_->Remove(Named("ana")), HasErrorCode("not_found"));
  }
}

TEST_F(Officers, KeepAnAdmin) {
  const auto add_admin = [&](const char* handle) {
    return book_->Add(Named(handle), {Role::kAdmin}, {1}, {});
  };
  ASSERT_OK(add_admin("admin"));
  EXPECT_THAT(book_->Remove(Named("admin")), HasErrorCode("invalid_state"));
  ASSERT_OK(add_admin("second"));
  EXPECT_OK(book_->Remove(Named("admin")));
  EXPECT_THAT(book_->Remove(Named("second")), HasErrorCode("invalid_state"));
}

TEST_F(Officers, StayWhenTheDiskFailsToForgetThem) {
  ASSERT_OK(Add("ana", {1000}));
  kv_.FailWrites(absl::InternalError("disk"));
  EXPECT_FALSE(book_->Remove(Named("ana")).ok());
  EXPECT_FALSE(book_->List().front().removed_at);
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

#include "agents/institution/core/waiting_mail.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/kv/memory_kv.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {
namespace {

class WaitingMailTest : public testing::Test {
 protected:
  // One more envelope that says it is of `sender`.
  absl::Status Keep(const std::string& sender, size_t bytes = 0) {
    const Header header{.envelope_id = EnvelopeId::New(),
                        .sender = VALUE_OF(MemberId::Parse(sender)),
                        .recipient = VALUE_OF(MemberId::Parse("uls"))};
    MailboxItem item{{}, Envelope{header, {}, {}, Bytes(bytes), {}}};
    item.receipt.leaf = LeafIndex(next_++);
    return mail_->Keep(item, {});
  }

  MemoryKv kv_;
  const std::unique_ptr<WaitingMail> mail_ = VALUE_OF(WaitingMail::Open(kv_));
  uint64_t next_ = 0;
};

// A name costs nothing: whoever makes them up fills this much, and no more.
TEST_F(WaitingMailTest, AttackMadeUpNamesFillNoDisk) {
  for (size_t i = 0; i < WaitingMail::kMax; ++i)
    ASSERT_OK(Keep(absl::StrCat("m", i % 500)));
  EXPECT_THAT(Keep("ong"), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(mail_->size(), WaitingMail::kMax);
  mail_->Forget(LeafIndex(0));
  EXPECT_OK(Keep("ong"));
}

TEST_F(WaitingMailTest, AttackLargeMailOfMadeUpNamesFillsNoDisk) {
  constexpr size_t kEach = size_t{1} << 20;
  size_t kept = 0;
  while (kept < 100 && Keep(absl::StrCat("m", kept), kEach).ok()) ++kept;
  EXPECT_EQ(kept, WaitingMail::kBytesMax / kEach - 1);
}

}  // namespace
}  // namespace amparo::agent

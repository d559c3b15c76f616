#include <optional>
#include <string>
#include <variant>

#include "crypto/hpke.h"
#include "tests/adversary/victims.h"

// Somebody records all mail for uls, and gets hold of its keys: of one prekey,
// or later of everything that the agent still has.

namespace amparo::agent {
namespace {

class PrekeyThief : public Victims {
 protected:
  // Sends one referral to uls; what the broker has of it.
  Envelope Recorded() {
    std::optional<Envelope> copy;
    uls().port().tamper = [&](MailboxItem item) {
      if (const auto* envelope = std::get_if<Envelope>(&item.event))
        copy = *envelope;
      return std::optional(std::move(item));
    };
    Refer();
    world_.Settle();
    uls().port().tamper = nullptr;
    return copy.value();
  }
  void LetADayPass() {
    world_.clock().Advance(absl::Hours(25));
    world_.Settle();
    world_.clock().Advance(absl::Hours(3));
    world_.Settle();
  }
};

TEST_F(PrekeyThief, OpensTheMailOfThatDayAndNoOther) {
  const Envelope of_the_day = Recorded();
  const OpeningKey stolen =
      VALUE_OF(uls().keys().OpeningFor(of_the_day.header.prekey_id));
  LetADayPass();
  const Envelope of_the_next = Recorded();
  const auto open = [&](const Envelope& envelope) {
    return Open(stolen, SealInfo(envelope.header_bytes), envelope.enc,
                envelope.ciphertext);
  };
  EXPECT_OK(open(of_the_day));
  EXPECT_THAT(open(of_the_next), StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(PrekeyThief, FindsNothingADayLaterThatOpensTheRecording) {
  const Envelope recorded = Recorded();
  EXPECT_OK(uls().packer().Unpack(recorded));
  LetADayPass();
  EXPECT_THAT(uls().packer().Unpack(recorded),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace amparo::agent

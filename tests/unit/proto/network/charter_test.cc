#include "proto/network/charter.h"

#include <functional>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "tests/unit/proto/network/samples.h"

namespace amparo {
namespace {

const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);
const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
const auto kWrongState = StatusIs(absl::StatusCode::kFailedPrecondition);

class CharterTest : public testing::Test {
 protected:
  TestNetwork network_;
  AcceptedCharter first_ = network_.Found();
};

TEST_F(CharterTest, TheFirstIsPinnedByItsHash) {
  EXPECT_EQ(first_.charter.version, 1u);
  EXPECT_EQ(first_.hash, Sha256(first_.document));
  EXPECT_FALSE(first_.network_id.IsZero());
  EXPECT_NE(first_.network_id, first_.hash);

  const auto other = AcceptFirstCharter(first_.document, Fill(1), kNoon);
  EXPECT_THAT(other, kDenied);
  EXPECT_EQ(ErrorCodeOf(other.status()), "wrong_pin");
}

TEST_F(CharterTest, TheFirstNeedsItsOwnThreshold) {
  const std::string two = network_.Sign({3, 4});
  const auto refused = AcceptFirstCharter(two, Sha256(two), kNoon);
  EXPECT_THAT(refused, kDenied);
  EXPECT_EQ(ErrorCodeOf(refused.status()), "verification_failed");
}

TEST_F(CharterTest, AnInstitutionWithTwoKeysCountsOnce) {
  const std::string document = network_.Sign({1, 2, 3});
  EXPECT_THAT(AcceptFirstCharter(document, Sha256(document), kNoon), kDenied);
  network_.Follow(first_);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 2, 3}), first_, kNoon),
              kDenied);
  EXPECT_OK(AcceptNextCharter(network_.Sign({1, 2, 3, 4}), first_, kNoon));
}

TEST_F(CharterTest, ASecondVersionIsNoFirst) {
  network_.Follow(first_);
  const std::string document = network_.Sign({1, 3, 4});
  EXPECT_THAT(AcceptFirstCharter(document, Sha256(document), kNoon),
              kWrongState);
}

TEST_F(CharterTest, TheNextKeepsTheNetworkAndNamesItsBytes) {
  network_.Activate("ong");
  const AcceptedCharter next = network_.Next(first_);
  EXPECT_EQ(next.charter.version, 2u);
  EXPECT_EQ(next.network_id, first_.network_id);
  EXPECT_EQ(next.hash, Sha256(next.document));
  EXPECT_EQ(next.charter.Find(Id("ong"))->status, MemberStatus::kActive);
  EXPECT_EQ(next.charter.Find(Id("nobody")), nullptr);
}

TEST_F(CharterTest, RollbackRepetitionAndASkippedVersionAreRefused) {
  const AcceptedCharter second = network_.Next(first_);
  EXPECT_THAT(AcceptNextCharter(first_.document, second, kNoon), kWrongState);
  EXPECT_THAT(AcceptNextCharter(second.document, second, kNoon), kWrongState);
  network_.Follow(second);
  const std::string third = network_.Sign({1, 3, 4});
  EXPECT_THAT(AcceptNextCharter(third, first_, kNoon), kWrongState);
  EXPECT_OK(AcceptNextCharter(third, second, kNoon));
}

TEST_F(CharterTest, AForkIsRefused) {
  const AcceptedCharter second = network_.Next(first_);
  network_.draft.title = "another second";
  const AcceptedCharter fork = network_.Next(first_);
  network_.Follow(fork);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4}), second, kNoon),
              kDenied);
}

TEST_F(CharterTest, AWrongVersionIsRefusedWithTheReason) {
  const AcceptedCharter second = network_.Next(first_);
  const AcceptedCharter third = network_.Next(second);
  const auto why = [](const AcceptedCharter& next,
                      const AcceptedCharter& current) {
    return std::string(
        AcceptNextCharter(next.document, current, kNoon).status().message());
  };
  EXPECT_NE(why(first_, third).find("rollback"), std::string::npos);
  EXPECT_NE(why(third, third).find("fork"), std::string::npos);
  EXPECT_NE(why(third, first_).find("missing"), std::string::npos);
}

TEST_F(CharterTest, ACharterOfAnotherNetworkIsRefused) {
  network_.Follow(first_);
  network_.draft.net = Fill(9);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4}), first_, kNoon),
              kDenied);
}

TEST_F(CharterTest, OneSignatureTooFewIsRefused) {
  network_.Follow(first_);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({3, 4}), first_, kNoon), kDenied);
  EXPECT_OK(AcceptNextCharter(network_.Sign({3, 4, 5}), first_, kNoon));
}

TEST_F(CharterTest, ASignatureByAKeyThatRanOutDoesNotCount) {
  const absl::Time until = kNoon + absl::Hours(24);
  network_.draft.governance[3].until = until;  // uls's, key 4
  const AcceptedCharter second = network_.Next(first_);
  network_.Follow(second);
  const std::string third = network_.Sign({1, 3, 4});
  EXPECT_OK(AcceptNextCharter(third, second, until - absl::Seconds(1)));
  EXPECT_THAT(AcceptNextCharter(third, second, until), kDenied);
  // Enough others decide without it, and put another key in its place.
  EXPECT_OK(AcceptNextCharter(network_.Sign({1, 3, 5}), second, until));
  EXPECT_OK(AcceptNextCharter(network_.Sign({1, 3, 4, 5}), second, until));
  // Where the log is not at hand, its replay judges it.
  EXPECT_OK(AcceptNextCharter(third, second, std::nullopt));
}

TEST_F(CharterTest, AKeyDoesNotProlongItselfAfterItsEnd) {
  const absl::Time until = kNoon + absl::Hours(24);
  network_.draft.governance[3].until = until;
  const AcceptedCharter second = network_.Next(first_);
  network_.draft.governance[3].until = until + absl::Hours(24 * 365);
  network_.Follow(second);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4}), second, until),
              kDenied);
}

TEST_F(CharterTest, NobodyIsBoundForOverFourHundredDays) {
  network_.Follow(first_);
  network_.draft.expires = kNoon + kCharterLifeMax;
  EXPECT_OK(AcceptNextCharter(network_.Sign({1, 3, 4}), first_, kNoon));
  network_.draft.expires += absl::Seconds(1);
  const std::string document = network_.Sign({1, 3, 4, 5});
  EXPECT_THAT(AcceptNextCharter(document, first_, kNoon), kMalformed);
  EXPECT_OK(AcceptNextCharter(document, first_, kNoon + absl::Seconds(1)));
  TestNetwork other;
  other.draft.expires = kNoon + kCharterLifeMax + absl::Seconds(1);
  const std::string first = other.Sign({1, 3, 4});
  EXPECT_THAT(AcceptFirstCharter(first, Sha256(first), kNoon), kMalformed);
}

TEST_F(CharterTest, AThresholdThatGoesUpBindsTheNewCharterAtOnce) {
  network_.Follow(first_);
  network_.draft.governance_threshold = 4;
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4}), first_, kNoon),
              kDenied);
  const AcceptedCharter second =
      VALUE_OF(AcceptNextCharter(network_.Sign({1, 3, 4, 5}), first_, kNoon));
  // Down again needs as many as it was.
  network_.Follow(second);
  network_.draft.governance_threshold = 1;
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4}), second, kNoon),
              kDenied);
  EXPECT_OK(AcceptNextCharter(network_.Sign({1, 3, 4, 5}), second, kNoon));
}

TEST_F(CharterTest, ALostKeyIsReplacedByTheOthers) {
  const SigningKey fresh = SigningKey::Generate();
  network_.draft.governance[2] = {"G6", Id("mp"), fresh.verify_key(),
                                  kNoon + absl::Hours(24 * 1000)};
  network_.Follow(first_);
  const AcceptedCharter second =
      VALUE_OF(AcceptNextCharter(network_.Sign({1, 4, 5}), first_, kNoon));
  // Whoever finds the lost one decides nothing with it.
  network_.Follow(second);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4}), second, kNoon),
              kDenied);
  MultiJws jws =
      VALUE_OF(ParseMultiJws(network_.Sign({1, 4}), kCharterBytesMax));
  AddSignature(jws, fresh, kCharterTyp);
  EXPECT_OK(AcceptNextCharter(FormatMultiJws(jws), second, kNoon));
}

TEST_F(CharterTest, EachRefusalNamesItsReason) {
  const AcceptedCharter second = network_.Next(first_);
  const auto why = [&](const std::vector<int>& by,
                       const std::function<void(Charter&)>& change) {
    const Charter kept = network_.draft;
    network_.Follow(second);
    change(network_.draft);
    const absl::Status status =
        AcceptNextCharter(network_.Sign(by), second, kNoon).status();
    network_.draft = kept;
    return absl::StrCat(ErrorCodeOf(status), ": ", status.message());
  };
  const auto nothing = [](Charter&) {};
  const struct {
    const char* reason;
    std::string got;
  } cases[] = {
      {"too few members", why({3, 4}, nothing)},
      {"too few members", why({1, 2, 3}, nothing)},
      {"a rollback", why({1, 3, 4},
                         [](Charter& c) {
                           c.version = 1;
                           c.net.reset();
                           c.prev_hash.reset();
                         })},
      {"a fork", why({1, 3, 4}, [](Charter& c) { c.version = 2; })},
      {"is missing", why({1, 3, 4}, [](Charter& c) { c.version = 4; })},
      {"follows another",
       why({1, 3, 4}, [](Charter& c) { c.prev_hash = Fill(3); })},
      {"another network", why({1, 3, 4}, [](Charter& c) { c.net = Fill(3); })},
      {"had not run out",
       why({1, 3, 4}, [](Charter& c) { c.governance[2].until = kNoon; })},
      {"over 400 days",
       why({1, 3, 4},
           [](Charter& c) { c.expires = kNoon + 2 * kCharterLifeMax; })},
  };
  for (const auto& [reason, got] : cases)
    EXPECT_NE(got.find(reason), std::string::npos) << reason << " | " << got;
}

TEST_F(CharterTest, NewKeysAloneCannotReplaceTheOldOnes) {
  network_.Follow(first_);
  std::vector<SigningKey> own;
  for (GovernanceKey& key : network_.draft.governance) {
    own.push_back(SigningKey::Generate());
    key.key = own.back().verify_key();
  }
  MultiJws jws{DumpJson(EncodeCharter(network_.draft)), {}};
  for (const SigningKey& key : own) AddSignature(jws, key, kCharterTyp);
  EXPECT_THAT(AcceptNextCharter(FormatMultiJws(jws), first_, kNoon), kDenied);
  // With k of the old ones it is a handover.
  for (const int number : {1, 3, 4})
    AddSignature(jws, network_.governance(number), kCharterTyp);
  const AcceptedCharter handover =
      VALUE_OF(AcceptNextCharter(FormatMultiJws(jws), first_, kNoon));
  // From then on the removed keys' signatures count for nothing.
  network_.Follow(handover);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4, 5}), handover, kNoon),
              kDenied);
}

TEST_F(CharterTest, OldKeysAloneDoNotSpeakForTheNewOnes) {
  network_.Follow(first_);
  for (GovernanceKey& key : network_.draft.governance)
    key.key = SigningKey::Generate().verify_key();
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4, 5}), first_, kNoon),
              kDenied);
}

TEST_F(CharterTest, ABadSignatureUnderAGovernanceKeysNameRefusesTheWhole) {
  network_.Follow(first_);
  MultiJws jws =
      VALUE_OF(ParseMultiJws(network_.Sign({1, 3, 4, 5}), kCharterBytesMax));
  jws.signatures[3].signature[5] ^= 1;
  EXPECT_THAT(AcceptNextCharter(FormatMultiJws(jws), first_, kNoon), kDenied);
  jws.signatures.pop_back();
  EXPECT_OK(AcceptNextCharter(FormatMultiJws(jws), first_, kNoon));
  // A stranger's signature counts for nothing and harms nothing.
  AddSignature(jws, SigningKey::Generate(), kCharterTyp);
  EXPECT_OK(AcceptNextCharter(FormatMultiJws(jws), first_, kNoon));
}

TEST_F(CharterTest, SignaturesOfAnotherTypDoNotCount) {
  network_.Follow(first_);
  MultiJws jws{DumpJson(EncodeCharter(network_.draft)), {}};
  for (const int number : {1, 3, 4})
    AddSignature(jws, network_.governance(number), "amparo-suspension+jws");
  EXPECT_THAT(AcceptNextCharter(FormatMultiJws(jws), first_, kNoon), kDenied);
}

TEST_F(CharterTest, APayloadThatWasChangedAfterSigningIsRefused) {
  network_.Follow(first_);
  MultiJws jws =
      VALUE_OF(ParseMultiJws(network_.Sign({1, 3, 4}), kCharterBytesMax));
  network_.draft.trust_delay = absl::ZeroDuration();
  jws.payload = DumpJson(EncodeCharter(network_.draft));
  EXPECT_THAT(AcceptNextCharter(FormatMultiJws(jws), first_, kNoon), kDenied);
}

TEST_F(CharterTest, PeekShowsWhatNobodySignedYet) {
  MultiJws jws{DumpJson(EncodeCharter(network_.draft)), {}};
  AddSignature(jws, SigningKey::Generate(), kCharterTyp);
  EXPECT_EQ(VALUE_OF(PeekCharter(FormatMultiJws(jws))).title,
            "Protocolo de Exemplo");
  EXPECT_THAT(PeekCharter("{}"), kMalformed);
}

TEST(WitnessQuorum, IsTheFormulaOfTheProtocol) {
  EXPECT_EQ(DefaultWitnessQuorum(0, 0), 0u);
  EXPECT_EQ(DefaultWitnessQuorum(3, 0), 2u);
  EXPECT_EQ(DefaultWitnessQuorum(4, 0), 3u);
  EXPECT_EQ(DefaultWitnessQuorum(5, 1), 4u);
  EXPECT_EQ(DefaultWitnessQuorum(9, 2), 6u);
}

}  // namespace
}  // namespace amparo

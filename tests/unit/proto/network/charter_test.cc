#include "proto/network/charter.h"

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

  const auto other = AcceptFirstCharter(first_.document, Fill(1));
  EXPECT_THAT(other, kDenied);
  EXPECT_EQ(ErrorCodeOf(other.status()), "wrong_pin");
}

TEST_F(CharterTest, TheFirstNeedsItsOwnThreshold) {
  const std::string two = network_.Sign({3, 4});
  const auto refused = AcceptFirstCharter(two, Sha256(two));
  EXPECT_THAT(refused, kDenied);
  EXPECT_EQ(ErrorCodeOf(refused.status()), "verification_failed");
}

TEST_F(CharterTest, AnInstitutionWithTwoKeysCountsOnce) {
  const std::string document = network_.Sign({1, 2, 3});
  EXPECT_THAT(AcceptFirstCharter(document, Sha256(document)), kDenied);
  network_.Follow(first_);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 2, 3}), first_), kDenied);
  EXPECT_OK(AcceptNextCharter(network_.Sign({1, 2, 3, 4}), first_));
}

TEST_F(CharterTest, ASecondVersionIsNoFirst) {
  network_.Follow(first_);
  const std::string document = network_.Sign({1, 3, 4});
  EXPECT_THAT(AcceptFirstCharter(document, Sha256(document)), kWrongState);
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
  EXPECT_THAT(AcceptNextCharter(first_.document, second), kWrongState);
  EXPECT_THAT(AcceptNextCharter(second.document, second), kWrongState);
  network_.Follow(second);
  const std::string third = network_.Sign({1, 3, 4});
  EXPECT_THAT(AcceptNextCharter(third, first_), kWrongState);
  EXPECT_OK(AcceptNextCharter(third, second));
}

TEST_F(CharterTest, AForkIsRefused) {
  const AcceptedCharter second = network_.Next(first_);
  network_.draft.title = "another second";
  const AcceptedCharter fork = network_.Next(first_);
  network_.Follow(fork);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4}), second), kDenied);
}

TEST_F(CharterTest, AWrongVersionIsRefusedWithTheReason) {
  const AcceptedCharter second = network_.Next(first_);
  const AcceptedCharter third = network_.Next(second);
  const auto why = [](const AcceptedCharter& next,
                      const AcceptedCharter& current) {
    return std::string(
        AcceptNextCharter(next.document, current).status().message());
  };
  EXPECT_NE(why(first_, third).find("rollback"), std::string::npos);
  EXPECT_NE(why(third, third).find("fork"), std::string::npos);
  EXPECT_NE(why(third, first_).find("missing"), std::string::npos);
}

TEST_F(CharterTest, ACharterOfAnotherNetworkIsRefused) {
  network_.Follow(first_);
  network_.draft.net = Fill(9);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4}), first_), kDenied);
}

TEST_F(CharterTest, OneSignatureTooFewIsRefused) {
  network_.Follow(first_);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({3, 4}), first_), kDenied);
  EXPECT_OK(AcceptNextCharter(network_.Sign({3, 4, 5}), first_));
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
  EXPECT_THAT(AcceptNextCharter(FormatMultiJws(jws), first_), kDenied);
  // With k of the old ones it is a handover.
  for (const int number : {1, 3, 4})
    AddSignature(jws, network_.governance(number), kCharterTyp);
  const AcceptedCharter handover =
      VALUE_OF(AcceptNextCharter(FormatMultiJws(jws), first_));
  // From then on the removed keys' signatures count for nothing.
  network_.Follow(handover);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4, 5}), handover),
              kDenied);
}

TEST_F(CharterTest, OldKeysAloneDoNotSpeakForTheNewOnes) {
  network_.Follow(first_);
  for (GovernanceKey& key : network_.draft.governance)
    key.key = SigningKey::Generate().verify_key();
  EXPECT_THAT(AcceptNextCharter(network_.Sign({1, 3, 4, 5}), first_), kDenied);
}

TEST_F(CharterTest, ABadSignatureUnderAGovernanceKeysNameRefusesTheWhole) {
  network_.Follow(first_);
  MultiJws jws =
      VALUE_OF(ParseMultiJws(network_.Sign({1, 3, 4, 5}), kCharterBytesMax));
  jws.signatures[3].signature[5] ^= 1;
  EXPECT_THAT(AcceptNextCharter(FormatMultiJws(jws), first_), kDenied);
  jws.signatures.pop_back();
  EXPECT_OK(AcceptNextCharter(FormatMultiJws(jws), first_));
  // A stranger's signature counts for nothing and harms nothing.
  AddSignature(jws, SigningKey::Generate(), kCharterTyp);
  EXPECT_OK(AcceptNextCharter(FormatMultiJws(jws), first_));
}

TEST_F(CharterTest, SignaturesOfAnotherTypDoNotCount) {
  network_.Follow(first_);
  MultiJws jws{DumpJson(EncodeCharter(network_.draft)), {}};
  for (const int number : {1, 3, 4})
    AddSignature(jws, network_.governance(number), "amparo-suspension+jws");
  EXPECT_THAT(AcceptNextCharter(FormatMultiJws(jws), first_), kDenied);
}

TEST_F(CharterTest, APayloadThatWasChangedAfterSigningIsRefused) {
  network_.Follow(first_);
  MultiJws jws =
      VALUE_OF(ParseMultiJws(network_.Sign({1, 3, 4}), kCharterBytesMax));
  network_.draft.trust_delay = absl::ZeroDuration();
  jws.payload = DumpJson(EncodeCharter(network_.draft));
  EXPECT_THAT(AcceptNextCharter(FormatMultiJws(jws), first_), kDenied);
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

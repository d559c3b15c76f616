#include "proto/envelope/envelope.h"

#include "crypto/hpke.h"
#include "proto/envelope/limits.h"
#include "tests/unit/proto/envelope/samples.h"

namespace amparo {
namespace {

constexpr auto kDenied = absl::StatusCode::kPermissionDenied;

class EnvelopeTest : public testing::Test {
 protected:
  SigningKey key_ = SigningKey::Generate();
  Envelope envelope_ = SampleEnvelope(key_);
};

TEST_F(EnvelopeTest, IsAcceptedAsItsSenderSignedIt) {
  EXPECT_OK(VerifyEnvelope(envelope_, key_.verify_key()));
  EXPECT_OK(
      VerifyEnvelopeSignature(envelope_.header, envelope_.header_bytes,
                              BodyDigest(envelope_.enc, envelope_.ciphertext),
                              envelope_.signature, key_.verify_key()));
}

TEST_F(EnvelopeTest, NoByteOfItCanBeFlipped) {
  const Bytes whole = EncodeEnvelope(envelope_);
  for (size_t i = 0; i < whole.size(); ++i) {
    Bytes flipped = whole;
    flipped[i] ^= 0x01;
    const auto decoded = DecodeEnvelope(flipped);
    if (!decoded.ok()) continue;
    EXPECT_THAT(VerifyEnvelope(*decoded, key_.verify_key()), StatusIs(kDenied))
        << "byte " << i;
  }
}

TEST_F(EnvelopeTest, AnotherMembersSignatureIsRefused) {
  const SigningKey other = SigningKey::Generate();
  envelope_.signature = SignEnvelope(other, EnvelopeDigest(envelope_));
  EXPECT_THAT(VerifyEnvelope(envelope_, key_.verify_key()), StatusIs(kDenied));
  // Nor does the header's name pass for the other key.
  EXPECT_THAT(VerifyEnvelope(envelope_, other.verify_key()), StatusIs(kDenied));
}

TEST_F(EnvelopeTest, ItsHeaderCannotBeSwapped) {
  const auto with = [&](auto change) {
    Envelope swapped = envelope_;
    change(swapped.header);
    swapped.header_bytes = EncodeHeader(swapped.header);
    return VerifyEnvelope(swapped, key_.verify_key());
  };
  EXPECT_THAT(with([](Header& h) { h.recipient = Id("gnr"); }),
              StatusIs(kDenied));
  EXPECT_THAT(with([](Header& h) { h.sender = Id("gnr"); }), StatusIs(kDenied));
  EXPECT_THAT(with([](Header& h) { h.prekey_id = Fill(9); }),
              StatusIs(kDenied));
  EXPECT_THAT(with([](Header& h) { h.network_id = Fill(9); }),
              StatusIs(kDenied));
  EXPECT_THAT(with([](Header& h) { h.link_seq = 2; }), StatusIs(kDenied));
  EXPECT_THAT(with([](Header& h) { h.anchor = Fill(9); }), StatusIs(kDenied));
}

TEST_F(EnvelopeTest, ACutCiphertextIsRefused) {
  envelope_.ciphertext.pop_back();
  EXPECT_THAT(VerifyEnvelope(envelope_, key_.verify_key()), StatusIs(kDenied));
}

TEST_F(EnvelopeTest, BytesCannotMoveFromEncToCiphertext) {
  EXPECT_NE(BodyDigest(Bytes{1, 2}, Bytes{3}),
            BodyDigest(Bytes{1}, Bytes{2, 3}));
}

TEST_F(EnvelopeTest, AThiefOfTheCiphertextCannotSendItUnderAnotherHeader) {
  const OpeningKey recipient = OpeningKey::Generate();
  const Sealed sealed =
      VALUE_OF(Seal(recipient.sealing_key(), SealInfo(envelope_.header_bytes),
                    Bytes(1024, 0)));
  Header stolen = envelope_.header;
  stolen.sender = Id("gnr");
  EXPECT_OK(Open(recipient, SealInfo(envelope_.header_bytes), sealed.enc,
                 sealed.ciphertext));
  EXPECT_THAT(Open(recipient, SealInfo(EncodeHeader(stolen)), sealed.enc,
                   sealed.ciphertext),
              StatusIs(kDenied));
}

TEST(Padding, FollowsPadme) {
  EXPECT_EQ(PaddedSize(0), 1024u);
  EXPECT_EQ(PaddedSize(1023), 1024u);  // one byte of padding fits
  EXPECT_EQ(PaddedSize(1024), 1088u);
  EXPECT_EQ(PaddedSize(1087), 1088u);
  EXPECT_EQ(PaddedSize(1088), 1152u);
  EXPECT_EQ(PaddedSize(99999), 100352u);
  EXPECT_EQ(PaddedSize(kPayloadBytesMax), (1u << 20) + (1u << 15));
  EXPECT_EQ(CiphertextSize(0), 1040u);
}

TEST(Padding, NeverShortensAndAddsTwelvePercentAtMost) {
  for (size_t size = 0; size < 300000; size += 7) {
    const size_t padded = PaddedSize(size);
    EXPECT_GT(padded, size);
    EXPECT_LE(padded, std::max<size_t>(1024, (size + 1) * 112 / 100));
  }
}

TEST(Padding, AnUnpaddedSizeIsRecognized) {
  EXPECT_TRUE(IsCiphertextSize(1040));
  EXPECT_TRUE(IsCiphertextSize(CiphertextSize(5000)));
  EXPECT_TRUE(IsCiphertextSize(CiphertextSize(kPayloadBytesMax)));
  EXPECT_FALSE(IsCiphertextSize(0));
  EXPECT_FALSE(IsCiphertextSize(1039));
  EXPECT_FALSE(IsCiphertextSize(1041));
  EXPECT_FALSE(IsCiphertextSize(CiphertextSize(kPayloadBytesMax) + (1 << 15)));
  EXPECT_FALSE(IsCiphertextSize(UINT64_MAX));
}

TEST(Padding, FitsTheLargestEnvelope) {
  EXPECT_LT(kHeaderBytesMax + kBlobsMax * kHeaderBytesPerBlob + kEncBytes +
                CiphertextSize(kPayloadBytesMax) + 64 + 32,
            kEnvelopeBytesMax);
}

}  // namespace
}  // namespace amparo

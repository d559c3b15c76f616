#include "proto/envelope/codec.h"

#include <functional>

#include "proto/envelope/limits.h"
#include "tests/unit/proto/envelope/samples.h"

namespace amparo {
namespace {

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);

Header Sample() { return SampleHeader(Fill(4)); }

Bytes Encoded(const std::function<void(Header&)>& change) {
  Header header = Sample();
  change(header);
  return EncodeHeader(header);
}

TEST(HeaderCodec, GivesBackWhatWasEncoded) {
  EXPECT_EQ(VALUE_OF(DecodeHeader(EncodeHeader(Sample()))), Sample());
}

TEST(HeaderCodec, AcceptsTheEdgesOfEachRange) {
  for (const auto& change : std::vector<std::function<void(Header&)>>{
           [](Header& h) { h.expires = h.created + absl::Seconds(1); },
           [](Header& h) { h.expires = h.created + kEnvelopeLifeMax; },
           [](Header& h) { h.blobs.clear(); },
           [](Header& h) {
             h.blobs.resize(kBlobsMax, {Fill(1), 1});
           },
           [](Header& h) { h.blobs[0].size_bytes = kBlobBytesMax; },
           [](Header& h) { h.link_seq = kLinkMax; },
           [](Header& h) {
             h.ciphertext_bytes = CiphertextSize(kPayloadBytesMax);
           }})
    EXPECT_OK(DecodeHeader(Encoded(change)));
}

TEST(HeaderCodec, RefusesWhatIsBeyondEachRange) {
  const struct {
    const char* name;
    std::function<void(Header&)> change;
  } cases[] = {
      {"suite 0", [](Header& h) { h.suite = 0; }},
      {"suite 2", [](Header& h) { h.suite = 2; }},
      {"to itself", [](Header& h) { h.recipient = h.sender; }},
      {"no life", [](Header& h) { h.expires = h.created; }},
      {"ends before it begins",
       [](Header& h) { h.expires = h.created - absl::Seconds(1); }},
      {"too long a life",
       [](Header& h) {
         h.expires = h.created + kEnvelopeLifeMax + absl::Seconds(1);
       }},
      {"no creation", [](Header& h) { h.created = absl::UnixEpoch(); }},
      {"seventeen blobs",
       [](Header& h) {
         h.blobs.resize(kBlobsMax + 1, {Fill(1), 1});
       }},
      {"empty blob", [](Header& h) { h.blobs[0].size_bytes = 0; }},
      {"huge blob",
       [](Header& h) { h.blobs[0].size_bytes = kBlobBytesMax + 1; }},
      {"link 0", [](Header& h) { h.link_seq = 0; }},
      {"a link that nobody can ask for",
       [](Header& h) { h.link_seq = kLinkMax + 1; }},
      {"empty ciphertext", [](Header& h) { h.ciphertext_bytes = 0; }},
      {"unpadded ciphertext", [](Header& h) { h.ciphertext_bytes = 1041; }},
  };
  for (const auto& c : cases)
    EXPECT_THAT(DecodeHeader(Encoded(c.change)), kMalformed) << c.name;
}

TEST(HeaderCodec, RefusesASecondSpellingOfTheSameHeader) {
  const Bytes good = EncodeHeader(Sample());
  Bytes unknown_field = good;
  Append(unknown_field, Bytes{0xf8, 0x01, 0x01});  // field 31, varint 1
  EXPECT_THAT(DecodeHeader(unknown_field), kMalformed);

  Bytes repeated_field = good;
  Append(repeated_field, Bytes{0x68, 0x01});  // link_seq = 1 again
  EXPECT_THAT(DecodeHeader(repeated_field), kMalformed);

  // suite = 1 as a varint of two bytes.
  Bytes long_varint{0x08, 0x81, 0x00};
  Append(long_varint, ByteView(good).subspan(2));
  EXPECT_THAT(DecodeHeader(long_varint), kMalformed);

  Bytes trailing = good;
  trailing.push_back(0);
  EXPECT_THAT(DecodeHeader(trailing), kMalformed);

  EXPECT_THAT(DecodeHeader(ByteView(good).first(good.size() - 1)), kMalformed);
  EXPECT_THAT(DecodeHeader({}), kMalformed);
}

TEST(HeaderCodec, RefusesAMissingFieldAndOneOfAnotherSize) {
  const Bytes good = EncodeHeader(Sample());
  // Field 2, network_id, begins after suite: tag, length, 32 bytes.
  Bytes without = ToBytes(ByteView(good).first(2));
  Append(without, ByteView(good).subspan(2 + 34));
  EXPECT_THAT(DecodeHeader(without), kMalformed);

  Bytes shorter = ToBytes(ByteView(good).first(2));
  Append(shorter, Bytes{0x12, 31});
  Append(shorter, Bytes(31, 1));
  Append(shorter, ByteView(good).subspan(2 + 34));
  EXPECT_THAT(DecodeHeader(shorter), kMalformed);
}

TEST(HeaderCodec, RefusesAnIdThatIsNone) {
  Bytes bytes = EncodeHeader(Sample());
  const std::string text = ToText(bytes);
  const size_t at = text.find("ong");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'O';
  EXPECT_THAT(DecodeHeader(bytes), kMalformed);
}

TEST(EnvelopeCodec, GivesBackWhatWasEncoded) {
  const Envelope envelope = SampleEnvelope(SigningKey::Generate());
  const Envelope again = VALUE_OF(DecodeEnvelope(EncodeEnvelope(envelope)));
  EXPECT_EQ(again.header, envelope.header);
  EXPECT_EQ(again.header_bytes, envelope.header_bytes);
  EXPECT_EQ(again.enc, envelope.enc);
  EXPECT_EQ(again.ciphertext, envelope.ciphertext);
  EXPECT_EQ(again.signature, envelope.signature);
}

TEST(EnvelopeCodec, RefusesPartsOfAnotherSize) {
  const Envelope good = SampleEnvelope(SigningKey::Generate());
  const auto decode = [&](auto change) {
    Envelope changed = good;
    change(changed);
    return DecodeEnvelope(EncodeEnvelope(changed));
  };
  EXPECT_OK(decode([](Envelope&) {}));
  EXPECT_THAT(decode([](Envelope& e) { e.enc.push_back(0); }), kMalformed);
  EXPECT_THAT(decode([](Envelope& e) { e.enc.pop_back(); }), kMalformed);
  EXPECT_THAT(decode([](Envelope& e) { e.ciphertext.push_back(0); }),
              kMalformed);
  EXPECT_THAT(decode([](Envelope& e) { e.ciphertext.clear(); }), kMalformed);
  EXPECT_THAT(decode([](Envelope& e) { e.header_bytes.clear(); }), kMalformed);
  EXPECT_THAT(MakeEnvelope(good.header_bytes, good.enc, good.ciphertext,
                           ByteView(good.signature).first(63)),
              kMalformed);
}

TEST(EnvelopeCodec, RefusesUnknownFieldsTrailingBytesAndWhatIsTooLarge) {
  const Bytes good = EncodeEnvelope(SampleEnvelope(SigningKey::Generate()));
  Bytes unknown_field = good;
  Append(unknown_field, Bytes{0xf8, 0x01, 0x01});
  EXPECT_THAT(DecodeEnvelope(unknown_field), kMalformed);
  Bytes trailing = good;
  trailing.push_back(0);
  EXPECT_THAT(DecodeEnvelope(trailing), kMalformed);
  EXPECT_THAT(DecodeEnvelope(Bytes(kEnvelopeBytesMax + 1)), kMalformed);
}

}  // namespace
}  // namespace amparo

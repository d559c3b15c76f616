#include "base/bytes.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace amparo {
namespace {

using testing::ElementsAre;

TEST(Bytes, AreTextAndBackWithEveryValue) {
  std::string text;
  for (int i = 0; i < 256; ++i) text += static_cast<char>(i);
  const Bytes bytes = ToBytes(text);
  ASSERT_EQ(bytes.size(), 256u);
  for (size_t i = 0; i < 256; ++i) EXPECT_EQ(bytes[i], i);
  EXPECT_EQ(ToText(bytes), text);
  EXPECT_EQ(AsText(AsBytes(text)), text);
}

TEST(Bytes, AreViewedWithoutACopy) {
  const std::string text = "amparo";
  EXPECT_EQ(static_cast<const void*>(AsBytes(text).data()), text.data());
  const Bytes bytes = {1, 2};
  EXPECT_EQ(static_cast<const void*>(AsText(bytes).data()), bytes.data());
}

TEST(Bytes, MayBeEmpty) {
  EXPECT_TRUE(ToBytes("").empty());
  EXPECT_EQ(ToText(Bytes()), "");
  EXPECT_TRUE(Equal({}, {}));
  Bytes bytes;
  Append(bytes, {});
  EXPECT_TRUE(bytes.empty());
}

TEST(Equal, ComparesSizeAndContent) {
  EXPECT_TRUE(Equal(Bytes{0, 1, 0xff}, Bytes{0, 1, 0xff}));
  EXPECT_FALSE(Equal(Bytes{0, 1}, Bytes{0, 1, 0}));
  EXPECT_FALSE(Equal(Bytes{0, 1}, Bytes{0, 2}));
  EXPECT_FALSE(Equal(Bytes{0}, {}));
}

TEST(BigEndian, PutsTheMostSignificantByteFirst) {
  Bytes out = {9};
  AppendU16(out, 0x0102);
  AppendU32(out, 0x03040506);
  AppendU64(out, 0x0708090a0b0c0d0e);
  EXPECT_THAT(out,
              ElementsAre(9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14));
}

TEST(BigEndian, ReadsWhatWasAppended) {
  for (uint64_t value :
       {uint64_t{0}, uint64_t{1}, uint64_t{0x80}, uint64_t{0xff},
        uint64_t{0xfedcba9876543210}, UINT64_MAX}) {
    Bytes out;
    AppendU64(out, value);
    EXPECT_EQ(ReadU64(out), value);
    out.clear();
    AppendU32(out, static_cast<uint32_t>(value));
    EXPECT_EQ(ReadU32(out), static_cast<uint32_t>(value));
    out.clear();
    AppendU16(out, static_cast<uint16_t>(value));
    EXPECT_EQ(ReadU16(out), static_cast<uint16_t>(value));
  }
}

TEST(BigEndian, ReadsFromTheBeginningOfALongerView) {
  const Bytes bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(ReadU16(bytes), 0x0102);
  EXPECT_EQ(ReadU32(ByteView(bytes).subspan(1)), 0x02030405u);
  EXPECT_EQ(ReadU64(ByteView(bytes).subspan(2)), 0x030405060708090aull);
}

}  // namespace
}  // namespace amparo

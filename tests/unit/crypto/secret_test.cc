#include "crypto/secret.h"

#include <type_traits>
#include <utility>

#include "gtest/gtest.h"

namespace amparo {
namespace {

template <typename T>
constexpr bool kOnlyMoves =
    !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
    std::is_nothrow_move_constructible_v<T> &&
    std::is_nothrow_move_assignable_v<T>;
static_assert(kOnlyMoves<SecretKeyBytes>);
static_assert(kOnlyMoves<SecretBuffer>);

TEST(SecretKeyBytes, StartsAsZeros) {
  EXPECT_TRUE(Equal(SecretKeyBytes(4).Expose(), Bytes(4, 0)));
}

TEST(SecretKeyBytes, CopiesDoNotShareMemory) {
  const SecretKeyBytes key = SecretKeyBytes::CopyOf(AsBytes("key"));
  SecretKeyBytes copy = key.Copy();
  copy.Mutable()[0] = 'K';
  EXPECT_EQ(AsText(key.Expose()), "key");
  EXPECT_EQ(AsText(copy.Expose()), "Key");
}

TEST(SecretKeyBytes, IsEmptyAfterItWasMoved) {
  SecretKeyBytes from = SecretKeyBytes::CopyOf(AsBytes("key"));
  SecretKeyBytes to(1);
  to = std::move(from);
  EXPECT_EQ(AsText(to.Expose()), "key");
  EXPECT_EQ(from.size(), 0u);  // NOLINT: the moved-from state is the promise
}

TEST(SecretKeyBytes, RandomKeysDiffer) {
  EXPECT_FALSE(EqualSecret(SecretKeyBytes::Random(32).Expose(),
                           SecretKeyBytes::Random(32).Expose()));
}

TEST(SecretKeyBytesDeathTest, CannotBeReadBeyondItsEnd) {
  SecretKeyBytes key(32);
  EXPECT_DEATH(*const_cast<volatile uint8_t*>(key.Mutable().data() + 32) = 1,
               "");
}

TEST(SecretBuffer, ShrinkingWipesWhatIsCutOff) {
  SecretBuffer buffer = SecretBuffer::CopyOf("public secret");
  const uint8_t* cut = buffer.Expose().data() + 6;
  buffer.Shrink(6);
  EXPECT_EQ(AsText(buffer.Expose()), "public");
  EXPECT_TRUE(Equal(ByteView(cut, 7), Bytes(7, 0)));
}

TEST(SecretBuffer, CanBeEmpty) {
  SecretBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_TRUE(buffer.Copy().empty());
  EXPECT_TRUE(SecretBuffer::CopyOf("").empty());
  buffer.Shrink(0);
}

TEST(SecretBuffer, MovesItsContent) {
  SecretBuffer from = SecretBuffer::CopyOf("text");
  SecretBuffer to = SecretBuffer::CopyOf("old");
  to = std::move(from);
  EXPECT_EQ(AsText(to.Expose()), "text");
  EXPECT_TRUE(from.empty());  // NOLINT: the moved-from state is the promise
}

TEST(EqualSecret, ComparesSizeAndContent) {
  EXPECT_TRUE(EqualSecret(AsBytes("abc"), AsBytes("abc")));
  EXPECT_TRUE(EqualSecret({}, {}));
  EXPECT_FALSE(EqualSecret(AsBytes("abc"), AsBytes("abd")));
  EXPECT_FALSE(EqualSecret(AsBytes("abc"), AsBytes("abcd")));
}

TEST(Wipe, LeavesZeros) {
  Bytes bytes = ToBytes("secret");
  Wipe(bytes);
  EXPECT_EQ(bytes, Bytes(6, 0));
  Wipe({});
}

}  // namespace
}  // namespace amparo

#include "crypto/stream.h"

#include <sodium.h>

#include <utility>
#include <vector>

#include "crypto/random.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

const auto kRefused = StatusIs(absl::StatusCode::kPermissionDenied);

struct SealedStream {
  SecretKeyBytes key;
  Bytes header;
  std::vector<Bytes> chunks;
};

SealedStream SealAll(ByteView plaintext) {
  SealedStream stream{SecretKeyBytes::Random(kStreamKeyBytes), {}, {}};
  StreamSealer sealer(stream.key);
  stream.header = ToBytes(sealer.header());
  while (plaintext.size() > kStreamChunkBytes) {
    stream.chunks.push_back(
        VALUE_OF(sealer.Push(plaintext.first(kStreamChunkBytes), false)));
    plaintext = plaintext.subspan(kStreamChunkBytes);
  }
  stream.chunks.push_back(VALUE_OF(sealer.Push(plaintext, true)));
  return stream;
}

StreamOpener OpenerOf(const SealedStream& stream) {
  return VALUE_OF(StreamOpener::Create(stream.key, stream.header));
}

TEST(Stream, GivesBackWhatWasSealedWhateverItsSize) {
  for (size_t size :
       {size_t{0}, size_t{1}, kStreamChunkBytes - 1, kStreamChunkBytes,
        kStreamChunkBytes + 1, 3 * kStreamChunkBytes + 7}) {
    const Bytes plaintext = RandomBytes(size);
    const SealedStream stream = SealAll(plaintext);
    StreamOpener opener = OpenerOf(stream);
    Bytes opened;
    for (const Bytes& chunk : stream.chunks) {
      EXPECT_FALSE(opener.finished());
      Append(opened, VALUE_OF(opener.Pull(chunk)).Expose());
    }
    EXPECT_TRUE(opener.finished());
    EXPECT_EQ(opened, plaintext);
  }
}

TEST(Stream, TheSameFileLooksDifferentForEachRecipient) {
  const Bytes plaintext(100, 7);
  EXPECT_NE(SealAll(plaintext).chunks[0], SealAll(plaintext).chunks[0]);
}

TEST(StreamSealer, TakesFullChunksAndThenOneFinal) {
  StreamSealer sealer(SecretKeyBytes::Random(kStreamKeyBytes));
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(sealer.Push(Bytes(kStreamChunkBytes - 1), false), invalid);
  EXPECT_THAT(sealer.Push(Bytes(kStreamChunkBytes + 1), true), invalid);
  EXPECT_OK(sealer.Push(Bytes(kStreamChunkBytes), false));
  EXPECT_OK(sealer.Push({}, true));
  EXPECT_THAT(sealer.Push({}, true),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST(StreamOpener, ShowsThatAStreamWasCutOff) {
  const SealedStream stream = SealAll(Bytes(2 * kStreamChunkBytes));
  StreamOpener opener = OpenerOf(stream);
  EXPECT_OK(opener.Pull(stream.chunks[0]));
  EXPECT_FALSE(opener.finished());
}

TEST(StreamOpener, RefusesChunksOutOfOrderTwiceOrLeftOut) {
  const SealedStream stream = SealAll(Bytes(3 * kStreamChunkBytes));
  StreamOpener swapped = OpenerOf(stream);
  EXPECT_THAT(swapped.Pull(stream.chunks[1]), kRefused);
  StreamOpener repeated = OpenerOf(stream);
  EXPECT_OK(repeated.Pull(stream.chunks[0]));
  EXPECT_THAT(repeated.Pull(stream.chunks[0]), kRefused);
  StreamOpener left_out = OpenerOf(stream);
  EXPECT_OK(left_out.Pull(stream.chunks[0]));
  EXPECT_THAT(left_out.Pull(stream.chunks[2]), kRefused);
  EXPECT_FALSE(left_out.finished());
}

TEST(StreamOpener, TakesNothingAfterTheFinalChunkOrARefusedOne) {
  const SealedStream stream = SealAll(Bytes(10));
  StreamOpener opener = OpenerOf(stream);
  EXPECT_OK(opener.Pull(stream.chunks[0]));
  EXPECT_THAT(opener.Pull(stream.chunks[0]), kRefused);
  EXPECT_TRUE(opener.finished());
  StreamOpener broken = OpenerOf(stream);
  EXPECT_THAT(broken.Pull({}), kRefused);
  EXPECT_THAT(broken.Pull(stream.chunks[0]), kRefused);
  EXPECT_FALSE(broken.finished());
}

TEST(StreamOpener, RefusesAnyChangedByteAndAnyOtherSize) {
  const SealedStream stream = SealAll(ToBytes("attachment"));
  const Bytes& chunk = stream.chunks[0];
  for (size_t i = 0; i < chunk.size(); ++i) {
    Bytes changed = chunk;
    changed[i] ^= 1;
    StreamOpener opener = OpenerOf(stream);
    EXPECT_THAT(opener.Pull(changed), kRefused) << i;
  }
  for (size_t size = 0; size < chunk.size(); ++size) {
    StreamOpener opener = OpenerOf(stream);
    EXPECT_THAT(opener.Pull(ByteView(chunk).first(size)), kRefused) << size;
  }
  StreamOpener opener = OpenerOf(stream);
  EXPECT_THAT(opener.Pull(Bytes(kStreamChunkBytes + 18)), kRefused);
}

TEST(StreamOpener, RefusesAnotherKeyOrHeader) {
  SealedStream stream = SealAll(ToBytes("attachment"));
  StreamOpener other = VALUE_OF(StreamOpener::Create(
      SecretKeyBytes::Random(kStreamKeyBytes), stream.header));
  EXPECT_THAT(other.Pull(stream.chunks[0]), kRefused);
  stream.header[3] ^= 1;
  EXPECT_THAT(OpenerOf(stream).Pull(stream.chunks[0]), kRefused);
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(StreamOpener::Create(stream.key, Bytes(23)), invalid);
  EXPECT_THAT(StreamOpener::Create(SecretKeyBytes(31), stream.header), invalid);
}

// A sender that knows the key but not our rules: short chunks in the middle
// and the tags that end a push or change the key are no stream of ours.
TEST(StreamOpener, RefusesAStreamOfAnotherShape) {
  struct {
    size_t size;
    uint8_t tag;
  } const shapes[] = {
      {kStreamChunkBytes - 1,
       crypto_secretstream_xchacha20poly1305_TAG_MESSAGE},
      {kStreamChunkBytes, crypto_secretstream_xchacha20poly1305_TAG_PUSH},
      {kStreamChunkBytes, crypto_secretstream_xchacha20poly1305_TAG_REKEY},
  };
  for (const auto& shape : shapes) {
    SealedStream stream{
        SecretKeyBytes::Random(kStreamKeyBytes), Bytes(kStreamHeaderBytes), {}};
    crypto_secretstream_xchacha20poly1305_state state;
    ASSERT_EQ(crypto_secretstream_xchacha20poly1305_init_push(
                  &state, stream.header.data(), stream.key.Expose().data()),
              0);
    const Bytes plaintext(shape.size);
    Bytes sealed(shape.size + kStreamOverheadBytes);
    ASSERT_EQ(crypto_secretstream_xchacha20poly1305_push(
                  &state, sealed.data(), nullptr, plaintext.data(),
                  plaintext.size(), nullptr, 0, shape.tag),
              0);
    EXPECT_THAT(OpenerOf(stream).Pull(sealed), kRefused);
  }
}

}  // namespace
}  // namespace amparo

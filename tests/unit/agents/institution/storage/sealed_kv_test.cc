#include "agents/institution/storage/sealed_kv.h"

#include "base/kv/memory_kv.h"
#include "tests/support/kv_contract.h"
#include "tests/support/status_matchers.h"

namespace amparo {

// SealedKv keeps what every KeyValue keeps.
class SealedFixture {
 public:
  KeyValue& kv() { return sealed_; }

 private:
  MemoryKv memory_;
  agent::SealedKv sealed_{memory_, SecretKeyBytes::Random(32)};
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sealed, KeyValueContract, SealedFixture);

namespace agent {
namespace {

using absl::StatusCode;

class SealedKvTest : public testing::Test {
 protected:
  SealedKvTest() : key_(SecretKeyBytes::Random(32)) {}
  SealedKv Sealed() { return SealedKv(below_, key_.Copy()); }

  MemoryKv below_;
  SecretKeyBytes key_;
};

TEST_F(SealedKvTest, LetsNothingOfAValueReachTheDisk) {
  SealedKv kv = Sealed();
  ASSERT_OK(WriteAll(kv, {{"a", "Marta EXEMPLO"}, {"b", "Marta EXEMPLO"}}));
  const std::string a = ToText(VALUE_OF(below_.Get("a")));
  EXPECT_EQ(a.find("EXEMPLO"), std::string::npos);
  // Equal values do not look equal.
  EXPECT_NE(a, ToText(VALUE_OF(below_.Get("b"))));
}

TEST_F(SealedKvTest, RefusesAValueThatWasMovedToAnotherKey) {
  SealedKv kv = Sealed();
  ASSERT_OK(WriteAll(kv, {{"a", "1"}, {"b", "2"}}));
  Batch swap;
  swap.Put("a", VALUE_OF(below_.Get("b")));
  ASSERT_OK(below_.Write(swap));
  EXPECT_THAT(kv.Get("a"), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(kv.Scan("", "", [](absl::string_view, ByteView) { return true; }),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_OK(kv.Get("b"));
}

TEST_F(SealedKvTest, RefusesAValueWithAnyByteChanged) {
  SealedKv kv = Sealed();
  ASSERT_OK(WriteAll(kv, {{"a", "value"}}));
  const Bytes whole = VALUE_OF(below_.Get("a"));
  for (size_t at = 0; at < whole.size(); ++at) {
    Bytes changed = whole;
    changed[at] ^= 1;
    Batch batch;
    batch.Put("a", changed);
    ASSERT_OK(below_.Write(batch));
    EXPECT_THAT(kv.Get("a"), StatusIs(StatusCode::kDataLoss)) << at;
  }
}

TEST_F(SealedKvTest, RefusesAValueThatWasCutOrEmptied) {
  SealedKv kv = Sealed();
  ASSERT_OK(WriteAll(kv, {{"a", "value"}}));
  const Bytes whole = VALUE_OF(below_.Get("a"));
  for (const size_t size : {size_t{0}, size_t{1}, whole.size() - 1}) {
    Batch batch;
    batch.Put("a", ByteView(whole).first(size));
    ASSERT_OK(below_.Write(batch));
    EXPECT_THAT(kv.Get("a"), StatusIs(StatusCode::kDataLoss)) << size;
  }
}

TEST_F(SealedKvTest, OpensUnderItsOwnKeyAlone) {
  SealedKv kv = Sealed();
  ASSERT_OK(WriteAll(kv, {{"a", "value"}}));
  EXPECT_EQ(ToText(VALUE_OF(Sealed().Get("a"))), "value");
  const SealedKv other(below_, SecretKeyBytes::Random(32));
  EXPECT_THAT(other.Get("a"), StatusIs(StatusCode::kDataLoss));
}

TEST_F(SealedKvTest, PassesOnTheFailureOfTheStoreBelow) {
  SealedKv kv = Sealed();
  below_.FailWrites(absl::ResourceExhaustedError("full"));
  EXPECT_THAT(WriteAll(kv, {{"a", "1"}}),
              StatusIs(StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace agent
}  // namespace amparo

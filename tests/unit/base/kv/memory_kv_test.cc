#include "base/kv/memory_kv.h"

#include "tests/support/kv_contract.h"

namespace amparo {
namespace {

class MemoryFixture {
 public:
  KeyValue& kv() { return kv_; }

 private:
  MemoryKv kv_;
};
INSTANTIATE_TYPED_TEST_SUITE_P(MemoryKv, KeyValueContract, MemoryFixture);

TEST(MemoryKv, FailsWritesWhenAskedToAndChangesNothing) {
  MemoryKv kv;
  ASSERT_OK(WriteAll(kv, {{"a", "1"}}));
  kv.FailWrites(absl::UnavailableError("the disk is away"));
  Batch batch;
  batch.Delete("a");
  PutText(batch, "b", "2");
  EXPECT_THAT(kv.Write(batch), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(ScanAll(kv, ""), (std::vector<Entry>{{"a", "1"}}));
  kv.FailWrites(absl::OkStatus());
  EXPECT_OK(kv.Write(batch));
  EXPECT_EQ(ScanAll(kv, ""), (std::vector<Entry>{{"b", "2"}}));
}

}  // namespace
}  // namespace amparo

#include "broker/store/memory_store.h"

#include <memory>

#include "tests/support/store_contract.h"

namespace amparo::broker {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  Store& store() override { return *store_; }
  void Reopen() override {}  // it is gone with its object

 private:
  const std::unique_ptr<Store> store_ = NewMemoryStore();
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract,
                         testing::Values(StoreEngine{
                             "memory", [] {
                               return std::make_unique<MemoryUnderTest>();
                             }}));

}  // namespace
}  // namespace amparo::broker

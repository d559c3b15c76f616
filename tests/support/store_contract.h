#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "broker/store/store.h"
#include "gtest/gtest.h"

namespace amparo::broker {

// A store that can be closed and opened again, as a crash or restart does.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  virtual void Reopen() = 0;
};

struct StoreEngine {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};
inline std::ostream& operator<<(std::ostream& out, const StoreEngine& engine) {
  return out << engine.name;
}

// What every engine must do. A test program links store_contract.cc and
// instantiates this suite for its engine.
class StoreContract : public testing::TestWithParam<StoreEngine> {
 protected:
  StoreContract() : under_test_(GetParam().make()) {}
  Store& store() { return under_test_->store(); }
  void Reopen() { under_test_->Reopen(); }

 private:
  std::unique_ptr<StoreUnderTest> under_test_;
};

}  // namespace amparo::broker

#include <cstdlib>
#include <iostream>

#include "crypto/init.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  if (const absl::Status status = amparo::InitCrypto(); !status.ok()) {
    std::cerr << status << "\n";
    return EXIT_FAILURE;
  }
  return RUN_ALL_TESTS();
}

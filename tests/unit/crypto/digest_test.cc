#include "crypto/digest.h"

#include "gtest/gtest.h"

namespace amparo {
namespace {

TEST(Digest, WillBeTested) {}

}  // namespace
}  // namespace amparo

#pragma once

#include <string>

#include "base/json.h"
#include "gtest/gtest.h"

namespace amparo {

// The folder that AMPARO_VECTORS names: published test vectors, kept outside
// the project. Empty when the variable is unset.
std::string VectorsFolder();

// A vector file, parsed; `path` below the folder. Throws when it is missing.
Json ReadVectors(const std::string& path);
std::string ReadVectorFile(const std::string& path);

}  // namespace amparo

// At the start of a test that needs the vectors.
#define NEEDS_VECTORS()                                                   \
  if (::amparo::VectorsFolder().empty())                                  \
  GTEST_SKIP() << "set AMPARO_VECTORS to the folder of published vectors"

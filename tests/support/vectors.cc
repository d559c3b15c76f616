#include "tests/support/vectors.h"

#include <cstdlib>
#include <stdexcept>

#include "base/files.h"

namespace amparo {

std::string VectorsFolder() {
  const char* folder = std::getenv("AMPARO_VECTORS");
  return folder == nullptr ? "" : folder;
}

std::string ReadVectorFile(const std::string& path) {
  auto content = ReadFile(VectorsFolder() + "/" + path, 64 << 20);
  if (!content.ok()) throw std::runtime_error(content.status().ToString());
  return *std::move(content);
}

Json ReadVectors(const std::string& path) {
  auto json = ParseJson(ReadVectorFile(path), 64);
  if (!json.ok()) throw std::runtime_error(path + ": " + json.status().ToString());
  return *std::move(json);
}

}  // namespace amparo

#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "gtest/gtest.h"

namespace amparo {

// A new folder that only this test has; gone with the object.
class ScratchFolder {
 public:
  ScratchFolder() : path_(testing::TempDir() + "amparo-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr)
      throw std::runtime_error("no scratch folder in " + testing::TempDir());
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

}  // namespace amparo

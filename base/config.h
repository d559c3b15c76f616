#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace amparo {

// A TOML file that is read key by key; a key nobody asked for is an error, so
// that a misspelled one never goes unnoticed. Not thread-safe.
class Config {
 public:
  // `name` stands in error messages (file name). INVALID_ARGUMENT (error code
  // "config") with line and column when `text` is not TOML.
  static absl::StatusOr<Config> Parse(absl::string_view text,
                                      const std::string& name);
  Config(Config&&) noexcept;
  Config& operator=(Config&&) noexcept;
  ~Config();

  // Each reads the value at the dotted `path` ("log.checkpoint_interval_ms");
  // the default when it is absent. A value of another type, or out of
  // [min, max], is remembered and reported by Finish().
  std::string String(absl::string_view path, absl::string_view fallback);
  int64_t Int(absl::string_view path, int64_t fallback, int64_t min, int64_t max);
  bool Bool(absl::string_view path, bool fallback);
  std::vector<std::string> Strings(absl::string_view path);

  // The first thing wrong with what was read, or the first key that was not:
  // INVALID_ARGUMENT with error code "config", the key as field.
  absl::Status Finish() const;

 private:
  struct State;
  explicit Config(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace amparo

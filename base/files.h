#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"

// Whole small files. Errors name the path, never the content.

namespace amparo {

// NOT_FOUND, PERMISSION_DENIED, or RESOURCE_EXHAUSTED beyond `size_max` bytes.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t size_max);
// The same of what another party handed over: INVALID_ARGUMENT for a link, a
// pipe, a device or a folder, and none of them is waited for.
absl::StatusOr<std::string> ReadForeignFile(const std::string& path,
                                            size_t size_max);

enum class FileMode { kPrivate, kPublic };  // 0600, 0644

// Replaces `path` whole or not at all: temporary file beside it, fsync, rename,
// fsync of the directory.
absl::Status WriteFile(const std::string& path, absl::string_view content,
                       FileMode mode);

// Like WriteFile, but ALREADY_EXISTS when `path` exists.
absl::Status CreateFile(const std::string& path, absl::string_view content,
                        FileMode mode);

// Makes `path` and its parents; the last one gets 0700 (kPrivate) or 0755.
absl::Status MakeDirectory(const std::string& path, FileMode mode);

bool FileExists(const std::string& path);

}  // namespace amparo

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"

// Text encodings of bytes. Every decoder accepts exactly what its encoder
// makes: one text for one value, so a signed text has no second spelling.

namespace amparo {

// Lower case, two characters a byte. INVALID_ARGUMENT for anything else.
std::string ToHex(ByteView bytes);
absl::StatusOr<Bytes> FromHex(absl::string_view text);

// RFC 4648 section 5, without padding.
std::string ToBase64Url(ByteView bytes);
absl::StatusOr<Bytes> FromBase64Url(absl::string_view text);

// RFC 4648 section 4, with padding (signed notes, PEM-like files).
std::string ToBase64(ByteView bytes);
absl::StatusOr<Bytes> FromBase64(absl::string_view text);

// RFC 4648 section 6, lower case, without padding.
std::string ToBase32(ByteView bytes);
absl::StatusOr<Bytes> FromBase32(absl::string_view text);

}  // namespace amparo

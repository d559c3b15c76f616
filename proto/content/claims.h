#pragma once

#include <optional>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "proto/content/event_kind.h"
#include "proto/content/section.h"
#include "proto/content/strict_reader.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo {

// The code of every fault in a signed document.
inline constexpr char kBadDocument[] = "verification_failed";

// The claims that all documents of a case begin with: {net, iss, iat, jti,
// case, kind}.
struct CommonClaims {
  Digest net;
  MemberId issuer;
  absl::Time at;
  EventId event_id;
  std::optional<CaseId> case_id;
  EventKind kind;
};
Json EncodeCommon(const CommonClaims& claims);
// nullopt after a fault, which `reader` has. `case` may be missing where the
// kind is that of a link event, and only there.
std::optional<CommonClaims> ReadCommon(StrictReader& reader);

Json EncodeNames(const std::set<Section>& sections);
Json EncodeNames(const std::set<Slot>& slots);
// Names in `key`, each once.
std::set<Section> ReadSectionNames(StrictReader& reader, absl::string_view key);
std::set<Slot> ReadSlotNames(StrictReader& reader, absl::string_view key);

}  // namespace amparo

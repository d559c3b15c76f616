#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/institution/core/officers.h"
#include "base/json.h"
#include "base/kv/kv.h"
#include "crypto/digest.h"

namespace amparo::agent {

// A request that may come again: the same id, from the same officer, gets the
// same answer. Value; refers to nothing.
class RepeatableRequest {
 public:
  // `content`: a digest of everything that was asked. No id: never repeated.
  RepeatableRequest(const Officer& officer, const char* verb,
                    absl::string_view request_id, const Digest& content);

  // What was kept for it; nullopt when it is new. ALREADY_EXISTS (code
  // "conflict") when something else was asked under the id.
  absl::StatusOr<std::optional<Json>> Earlier(const KeyValue& kv) const;
  // Keeps ids of what it made; `rows` are written with it.
  void Keep(const Json& answer, Batch& rows) const;

 private:
  std::string key_;  // empty: no id
  Digest content_;
};

}  // namespace amparo::agent

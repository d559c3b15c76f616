#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/auditor/access_filter.h"
#include "agents/auditor/leaf_source.h"
#include "agents/auditor/rpc/join.h"
#include "crypto/digest.h"

namespace amparo::auditor {

inline constexpr char kProgram[] = "amparo-audit";

// What was typed.
struct Arguments {
  bool json = false;
  bool no_timeline = false;  // replay
  bool mirror = false;       // replay: --export is one member's
  std::string profile;
  std::string broker;
  std::string folder;
  std::string root;
  std::vector<std::string> since;
  std::vector<std::string> cases;  // replay: opened by their parties
  std::string state;     // replay: where it goes on, and where it ended
  std::string html;                // replay: where the report goes
  std::string file;                // access-log, verify: what is checked
  std::vector<std::string> notes;  // compare: files
  std::string log_key;             // compare
  std::string proof;               // compare: a request that a witness kept
  uint64_t entry = 0;              // prove, show
  std::string document;            // prove
  std::string out;                 // prove
  AccessFilter filter;             // access-log
  std::string from, until;
  std::string own_cases;  // access-log: a file
  JoinOptions join;

  bool NamesASource() const {
    return !folder.empty() || !broker.empty() || !profile.empty();
  }
};

// INVALID_ARGUMENT (code "usage").
absl::Status Usage(absl::string_view message, const char* field);

// What pins the log: --root, or the profile that was named; nullopt when
// neither was..
absl::StatusOr<std::optional<Digest>> ReadRoot(const Arguments& arguments);

// --export's folder, or the broker's log over gRPC.
absl::StatusOr<std::unique_ptr<LeafSource>> OpenSource(
    const Arguments& arguments);

}  // namespace amparo::auditor

#pragma once

#include <string>

#include "agents/auditor/evidence.h"
#include "base/json.h"
#include "crypto/checkpoint.h"

namespace amparo::auditor {

// One entry of the log, taken apart for reading. Whether it is rightly there a
// replay says; here only its place and its opening are checked.
struct EntryView {
  uint64_t index = 0;
  bool included = false;  // in the tree of the checkpoint
  bool fits = false;      // it decodes, and its opening is its own
  Json fields;            // an object: what it says, name by name
};
EntryView ViewEntry(const EvidenceEntry& entry, const Checkpoint& checkpoint);

Json ToJson(const EntryView& view);         // "entry/1"
std::string ToText(const EntryView& view);  // for people

}  // namespace amparo::auditor

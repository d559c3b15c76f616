#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "broker/store/store.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {

// The log of `store` from leaf `start` on, as a mirror would bring it.
inline std::vector<LoggedEntry> LoggedIn(const Store& store, uint64_t start = 0,
                                         bool with_openings = true) {
  std::vector<LoggedEntry> logged;
  const auto count =
      static_cast<uint32_t>(store.Head().range.size().value() - start);
  for (Bytes& bytes : VALUE_OF(store.Entries(LeafIndex(start), count))) {
    LoggedEntry entry{std::move(bytes), {}, {}, {}};
    const LogEntry decoded = VALUE_OF(DecodeLogEntry(entry.entry));
    if (const auto* charter = std::get_if<CharterEntry>(&decoded.content))
      entry.document = VALUE_OF(store.Document(charter->hash));
    const auto opening = store.GetOpening(LeafIndex(start + logged.size()));
    if (opening.ok() && with_openings) {
      entry.salt = opening->salt;
      entry.event = opening->event;
    }
    logged.push_back(std::move(entry));
  }
  return logged;
}

}  // namespace amparo::broker

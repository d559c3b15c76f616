#pragma once

#include <string>
#include <vector>

#include "agents/institution/daemon/data_dir.h"
#include "base/clock.h"

namespace amparo::agent {

enum class Verdict { kOk, kWarn, kFail };

// One thing that was looked at.
struct Check {
  std::string name;
  Verdict verdict = Verdict::kOk;
  std::string text;  // what was found
  std::string hint;  // what to do; empty when it is right
};

// Looks at all that an agent needs: its directory, its keystore, the way to the
// broker, the clock, the charter, and the agent itself. Changes nothing, opens
// no store, and works beside a running agent as well as without one. Asks no
// passphrase: a keystore that wants one is not opened. `officer`: as which
// officer the agent is asked for its state.
std::vector<Check> Examine(const DataDir& data, const std::string& officer,
                           const Clock& clock);

// A line for each check, with what to do below it; or {"schema":"doctor/1"}.
std::string ChecksText(const std::vector<Check>& checks);
std::string ChecksJson(const std::vector<Check>& checks);
bool AllOk(const std::vector<Check>& checks);

}  // namespace amparo::agent

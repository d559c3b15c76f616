#pragma once

#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/desk.h"

namespace amparo::agent {

// Rings (alarm "unseen") for each member whose referral lies in a case that
// excludes everybody here who could see it: nobody would learn of it. Who is
// excluded, and whose case it is, is not told. Settles what somebody sees by
// now. Call now and then.
void RingForUnseen(const Desk& desk, Alarms& alarms, absl::Time now);

}  // namespace amparo::agent

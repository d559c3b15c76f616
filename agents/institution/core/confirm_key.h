#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/officers.h"
#include "proto/network/member.h"

namespace amparo::agent {

// `officer` compared `words` with `member` by phone: its keys count from now
// on, and what was held for them is taken in. Errors of PeerBook::ConfirmKeys;
// PERMISSION_DENIED for a role that may not (code "role_missing").
absl::Status ConfirmKey(const Desk& desk, const Officer& officer,
                        const MemberId& member, absl::string_view words);

}  // namespace amparo::agent

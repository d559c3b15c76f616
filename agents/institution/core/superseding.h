#pragma once

#include <functional>
#include <map>
#include <set>

#include "absl/status/statusor.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/consequences.h"
#include "agents/institution/core/grant_step.h"
#include "proto/content/consent_form.h"

namespace amparo::agent {

// The newest grant of the chain of `id`, to be changed by its issuer.
// FAILED_PRECONDITION when another member issued it (code "invalid_state") or
// it is revoked (code "consent_revoked").
absl::StatusOr<std::vector<const HeldGrant*>> ChainToChange(
    const MemberId& self, const Case& entry, const GrantId& id);

struct Superseded {
  CaseChange change;
  GrantId grant;  // the new one
  Consequences consequences;
};

// A grant in place of the newest one of the chain of `id`: `rewrite` makes its
// form of the old one's. Every member that has something by the chain gets its
// part of it, and with it, at the issuer's, which slots it loses.
absl::StatusOr<Superseded> Supersede(
    const GrantStep& step, const Case& entry, const GrantId& id,
    const char* action,
    const std::function<absl::StatusOr<ConsentForm>(const ConsentForm&)>&
        rewrite);

}  // namespace amparo::agent

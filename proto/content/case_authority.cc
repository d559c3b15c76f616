#include "proto/content/case_authority.h"

#include <algorithm>

namespace amparo {
namespace {

void AddProvisions(const Grant& from, Grant& to) {
  for (const Provision& provision : from.provisions) {
    const bool known = std::any_of(
        to.provisions.begin(), to.provisions.end(), [&](const Provision& p) {
          return p.disclosure == provision.disclosure;
        });
    if (!known) to.provisions.push_back(provision);
  }
}

// The grant that `grant` takes the place of: one of the same issuer.
HeldGrant* Superseded(const Grant& grant, CaseState& state) {
  if (!grant.supersedes) return nullptr;
  const auto held =
      state.authority.grants.find({grant.issuer, *grant.supersedes});
  return held == state.authority.grants.end() ? nullptr : &held->second;
}

}  // namespace

void AddGrant(const Grant& grant, CaseState& state) {
  const GrantKey key(grant.issuer, grant.id);
  const auto [held, added] =
      state.authority.grants.try_emplace(key, HeldGrant{grant});
  if (!added) {
    if (held->second.grant.digest != grant.digest) return;
    AddProvisions(grant, held->second.grant);
  }
  state.grants_by_digest.emplace(grant.digest, key);
  std::vector<HeldExclusion>& exclusions = state.authority.exclusions;
  for (const Exclusion* exclusion : grant.exclusions()) {
    HeldExclusion told{grant.issuer, *exclusion};
    if (std::find(exclusions.begin(), exclusions.end(), told) ==
        exclusions.end())
      exclusions.push_back(std::move(told));
  }
}

void AddBasis(const WithoutConsent& basis, CaseState& state) {
  std::vector<WithoutConsent>& bases = state.authority.bases;
  if (std::find(bases.begin(), bases.end(), basis) == bases.end())
    bases.push_back(basis);
}

void SettleStatuses(CaseState& state) {
  auto& grants = state.authority.grants;
  for (auto& [key, held] : grants)
    held.status = state.Revocation(held.grant) == nullptr
                      ? GrantStatus::kActive
                      : GrantStatus::kRevoked;
  for (auto& [key, held] : grants)
    if (HeldGrant* old = Superseded(held.grant, state);
        old != nullptr && old->status == GrantStatus::kActive)
      old->status = GrantStatus::kSuperseded;
  // A revocation reaches back over all that the grant supersedes; as often as
  // there are grants is enough for any chain, and ends on a ring.
  bool changed = true;
  for (size_t round = 0; changed && round < grants.size(); ++round) {
    changed = false;
    for (auto& [key, held] : grants)
      if (HeldGrant* old = Superseded(held.grant, state);
          old != nullptr && held.status == GrantStatus::kRevoked &&
          old->status != GrantStatus::kRevoked) {
        old->status = GrantStatus::kRevoked;
        changed = true;
      }
  }
}

}  // namespace amparo

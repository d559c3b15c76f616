#include "agents/institution/core/grant_chain.h"

#include <algorithm>

namespace amparo::agent {
namespace {

// Null when nothing supersedes `grant`.
const HeldGrant* SuccessorOf(const CaseState& state, const Grant& grant) {
  for (const auto& [unused, held] : state.authority.grants)
    if (held.grant.supersedes == grant.id && held.grant.issuer == grant.issuer)
      return &held;
  return nullptr;
}

const HeldGrant* PredecessorOf(const CaseState& state, const Grant& grant) {
  if (!grant.supersedes) return nullptr;
  const auto found =
      state.authority.grants.find({grant.issuer, *grant.supersedes});
  return found == state.authority.grants.end() ? nullptr : &found->second;
}

}  // namespace

std::vector<const HeldGrant*> ChainOf(const CaseState& state,
                                      const GrantKey& key) {
  const auto found = state.authority.grants.find(key);
  if (found == state.authority.grants.end()) return {};
  std::vector<const HeldGrant*> chain = {&found->second};
  const auto is_new = [&](const HeldGrant* held) {
    // A peer could sign grants that supersede each other.
    return held != nullptr &&
           std::find(chain.begin(), chain.end(), held) == chain.end();
  };
  for (const HeldGrant* next = SuccessorOf(state, chain.front()->grant);
       is_new(next); next = SuccessorOf(state, chain.front()->grant))
    chain.insert(chain.begin(), next);
  for (const HeldGrant* next = PredecessorOf(state, chain.back()->grant);
       is_new(next); next = PredecessorOf(state, chain.back()->grant))
    chain.push_back(next);
  return chain;
}

}  // namespace amparo::agent

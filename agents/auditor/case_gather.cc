// The part of CaseCheck that puts together what the parties tell of one case,
// before anything of it is verified.

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agents/auditor/case_check.h"
#include "proto/content/grant.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/limits.h"

namespace amparo::auditor {

CaseCheck::CaseCheck(const std::vector<CaseOpening>& openings,
                     const NetworkFold& network, Report& report)
    : network_(network), report_(report) {
  // First: rows may not move any more.
  for (const CaseOpening& opening : openings) {
    OpenCase& open =
        cases_
            .try_emplace(
                opening.case_id,
                OpenCase{.state = Fold(opening.member, opening.case_id, {})})
            .first->second;
    TreeSize& reach =
        open.tellers.try_emplace(opening.member, TreeSize(0)).first->second;
    reach = std::max(reach, opening.size.value_or(TreeSize(UINT64_MAX)));
  }
  report_.cases.resize(cases_.size());
  size_t row = 0;
  for (auto& [id, open] : cases_) {
    open.row = &report_.cases[row++];
    open.row->case_id = id.text();
    for (const auto& [teller, reach] : open.tellers)
      open.row->members.push_back(teller.text());
  }
  for (const CaseOpening& opening : openings) Gather(opening);
  // One party may hold the grant, another say where it was logged.
  for (const CaseOpening& opening : openings)
    for (const OpenedAnchor& anchor : opening.anchors) {
      auto& grants = cases_.at(opening.case_id).grants;
      const auto grant = grants.find(SdJwtDigest(anchor.document));
      if (grant != grants.end()) grant->second.anchored = true;
    }
}

void CaseCheck::Gather(const CaseOpening& opening) {
  OpenCase& open = cases_.at(opening.case_id);
  for (const std::string& grant : opening.grants)
    if (!GatherGrant(grant, open))
      report_.Add(Step::kDisclosures,
                  {FindingCode::kBadSignature, std::nullopt,
                   absl::StrCat("the opening of case ", open.row->case_id,
                                " holds a grant that is none"),
                   "grants of the opening: each is a JWT and its "
                   "disclosures, joined by ~ (RFC 9901)"});
  for (const std::string& basis : opening.bases)
    if (std::find(open.bases.begin(), open.bases.end(), basis) ==
        open.bases.end())
      open.bases.push_back(basis);
  for (const OpenedAnchor& anchor : opening.anchors) {
    items_[anchor.leaf].push_back({&open, &opening, &anchor, nullptr});
    anchors_told_.insert(anchor.leaf);
  }
  for (const OpenedEnvelope& envelope : opening.envelopes) {
    items_[envelope.leaf].push_back({&open, &opening, nullptr, &envelope});
    open.tells.emplace(opening.member, envelope.leaf);
    GatherContent(envelope, open);
  }
  for (const LeafIndex leaf : opening.unopened) {
    open.tells.emplace(opening.member, leaf);
    auto& sealed = unopened_[leaf];
    // Both ends may leave it so.
    if (std::none_of(sealed.begin(), sealed.end(),
                     [&](const auto& one) { return one.first == &open; }))
      ++open.row->unopened;
    sealed.emplace_back(&open, &opening);
  }
}

// What an envelope brought its sender bound by its manifest: who opens it may
// leave it out of its own list.
void CaseCheck::GatherContent(const OpenedEnvelope& envelope, OpenCase& open) {
  const auto& content = envelope.content;
  if (!content.has_value() ||
      ManifestDigest(content->salt2, content->disclosures, content->grants) !=
          envelope.manifest)
    return;
  for (const std::string& text : content->grants)
    if (absl::StrContains(text, '~')) GatherGrant(text, open);
}

// Unverified; parties have different provisions of one grant.
bool CaseCheck::GatherGrant(const std::string& text, OpenCase& open) {
  const auto parsed = ParseSdJwt(text, kGrantBytesMax);
  if (!parsed.ok() || !LoadGrant(parsed->jwt, parsed->disclosures).ok())
    return false;
  Told& told = open.grants[SdJwtDigest(parsed->jwt)];
  told.jwt = parsed->jwt;
  for (const Disclosure& disclosure : parsed->disclosures)
    if (std::find(told.disclosures.begin(), told.disclosures.end(),
                  disclosure) == told.disclosures.end())
      told.disclosures.push_back(disclosure);
  return true;
}

}  // namespace amparo::auditor

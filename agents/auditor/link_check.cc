#include "agents/auditor/link_check.h"

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "proto/envelope/limits.h"

namespace amparo::auditor {
namespace {

constexpr char kLinkRule[] =
    "link_seq counts up by one for each recipient, link_prev is the digest of "
    "the envelope before";

// Who may have dropped what is missing: it need not be malice.
constexpr char kLost[] =
    "; the log's host dropped or lost it: one that was rebuilt from its "
    "members' copies has lost what none of them held yet. Ask the host, and "
    "the sender what it sent";

std::string Chain(const Header& header) {
  return absl::StrCat(header.sender.text(), " -> ", header.recipient.text());
}

}  // namespace

void LinkCheck::Add(FindingCode code, LeafIndex leaf, const std::string& text,
                    const char* check) {
  report_.Add(Step::kLinks, {code, leaf, text, check});
}

void LinkCheck::OnEntry(LeafIndex leaf, absl::Time time) {
  report_.Checked(Step::kLinks);
  if (!state_.newest.has_value() || time >= *state_.newest) {
    state_.newest = time;
    return;
  }
  Add(FindingCode::kLate, leaf,
      absl::StrCat("entry ", leaf.value(), " says ", FormatUtc(time),
                   ", after an entry of ", FormatUtc(*state_.newest)),
      "the time in bytes 1 to 8 of the entries never falls");
}

void LinkCheck::OnCreated(LeafIndex leaf, absl::Time time, absl::Time created) {
  if (created >= time - kCreatedBefore && created <= time + kCreatedAfter)
    return;
  Add(FindingCode::kLate, leaf,
      absl::StrCat("entry ", leaf.value(), " was created ", FormatUtc(created),
                   ", too far from the log's ", FormatUtc(time)));
}

void LinkCheck::OnEnvelope(LeafIndex leaf, const Header& header,
                           const Digest& digest, const LeafSet& unopened) {
  if (!whole_) return;
  const auto [chain, is_new] =
      state_.chains.try_emplace({header.sender_kid, header.recipient});
  if (is_new)
    CheckFirst(leaf, header, unopened);
  else
    CheckNext(leaf, header, unopened, chain->second);
  if (header.link_seq <= chain->second.seq) return;
  chain->second = {header.link_seq, digest, unopened.size()};
  state_.latest[{header.sender, header.recipient}] = chain->second;
}

void LinkCheck::Lacks(uint64_t needed, LeafIndex leaf, const Header& header,
                      const LeafSet& unopened, uint64_t skip, Finding finding) {
  if (needed > unopened.size() - skip)
    return report_.Add(Step::kLinks, std::move(finding));
  erasures_.Add({Step::kLinks, std::move(finding), unopened.At(skip).value(),
                 leaf.value(), needed, header.sender, header.recipient},
                report_);
}

void LinkCheck::CheckFirst(LeafIndex leaf, const Header& header,
                           const LeafSet& unopened) {
  if (header.link_seq != 1)
    return Lacks(header.link_seq - 1, leaf, header, unopened, 0,
                 {FindingCode::kLinkGap, leaf,
                  absl::StrCat("the chain ", Chain(header),
                               " begins with link ", header.link_seq, kLost),
                  kLinkRule});
  // A new key goes on where the sender's last one ended, or at zero.
  if (header.link_prev.IsZero()) return;
  const auto latest = state_.latest.find({header.sender, header.recipient});
  if (latest == state_.latest.end())
    Lacks(1, leaf, header, unopened, 0,
          {FindingCode::kLinkGap, leaf,
           absl::StrCat("the first link of ", Chain(header),
                        " names an envelope that the log does not have", kLost),
           kLinkRule});
  else if (latest->second.digest != header.link_prev)
    Lacks(1, leaf, header, unopened, latest->second.unopened,
          {FindingCode::kLinkFork, leaf,
           absl::StrCat("a new key's first link of ", Chain(header),
                        " does not name the envelope before"),
           kLinkRule});
}

void LinkCheck::CheckNext(LeafIndex leaf, const Header& header,
                          const LeafSet& unopened, const Head& head) {
  if (header.link_seq <= head.seq)
    return Add(FindingCode::kLinkFork, leaf,
               absl::StrCat("link ", header.link_seq, " of ", Chain(header),
                            " stands a second time"),
               kLinkRule);
  const uint64_t missing = header.link_seq - head.seq - 1;
  if (missing > 0)
    Lacks(missing, leaf, header, unopened, head.unopened,
          {FindingCode::kLinkGap, leaf,
           absl::StrCat(missing, " envelope(s) of ", Chain(header),
                        " are missing before link ", header.link_seq, kLost),
           kLinkRule});
  else if (header.link_prev != head.digest)
    Add(FindingCode::kLinkFork, leaf,
        absl::StrCat("link ", header.link_seq, " of ", Chain(header),
                     " does not name the envelope before"),
        kLinkRule);
}

}  // namespace amparo::auditor

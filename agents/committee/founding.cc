#include "agents/committee/founding.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agents/committee/key_verbs.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::committee {
namespace {

constexpr size_t kSeatsMax = 5;
constexpr absl::Duration kCharterLife = absl::Hours(365 * 24);

// `routine` is left to its default, which counts working days.
std::map<std::string, Deadlines> DefaultDeadlines() {
  return {{"immediate", {absl::Minutes(15), absl::Hours(3)}},
          {"emergency", {absl::Hours(1), absl::Hours(24)}},
          {"urgent", {absl::Hours(24), absl::Hours(72)}}};
}

}  // namespace

absl::StatusOr<Founder> ParseFounder(absl::string_view text,
                                     const char* field) {
  const std::vector<std::string> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 2));
  const auto wrong = [&](absl::string_view what, std::string expected) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, what,
        {.code = "usage", .field = field, .expected = std::move(expected)});
  };
  if (parts.size() < 2)
    return wrong("not a member: the kind is missing",
                 "ID:KIND or ID:KIND:NAME, as ong:victim_support");
  absl::StatusOr<MemberId> id = MemberId::Parse(parts[0]);
  if (!id.ok())
    return wrong("not an id for a member",
                 "1 to 32 small letters, digits and hyphens, a letter first, "
                 "as ong-porto");
  const absl::StatusOr<MemberKind> kind = ParseMemberKind(parts[1]);
  if (!kind.ok())
    return wrong("no such kind of member",
                 absl::StrJoin(AllMemberKinds(), " ",
                               [](std::string* out, MemberKind one) {
                                 absl::StrAppend(out, NameOf(one));
                               }));
  std::string name = parts.size() > 2 ? parts[2] : id->text();
  return Founder{*std::move(id), *kind, std::move(name)};
}

std::vector<MemberId> DefaultSeats(const std::vector<Founder>& founders) {
  std::vector<MemberId> seats;
  for (const Founder& founder : founders)
    if (HasMailbox(founder.kind) && seats.size() < kSeatsMax)
      seats.push_back(founder.id);
  return seats;
}

uint32_t DefaultThreshold(size_t seats) {
  return static_cast<uint32_t>(seats / 2 + 1);
}

Charter FoundCharter(const Founding& founding) {
  const absl::Time now = TimeFromUnix(UnixSeconds(founding.now));
  Charter charter;
  charter.network = founding.network.network;
  charter.version = 1;
  charter.title = founding.title;
  charter.expires = now + kCharterLife;
  charter.timezone = founding.timezone;
  charter.jurisdiction = founding.jurisdiction;
  charter.trust_delay = founding.trust_delay;
  charter.purposes = {"support",          "safety",    "risk_assessment",
                      "health_care",      "legal_aid", "criminal_proceedings",
                      "child_protection", "housing"};
  charter.bases = {"A6-1-c", "A6-1-d", "A6-1-e", "A9-2-c",
                   "A9-2-g", "A9-2-h", "LED-8"};
  charter.reason_codes = {"imminent_danger_life", "child_in_danger",
                          "incapacity", "legal_duty_report"};
  charter.suites_allowed = {1};
  charter.suite_min = 1;
  charter.log_keys = {founding.network.log_key};
  // Founders have no keys yet, so nobody can cosign.
  charter.witness_faulty = 1;
  charter.witness_quorum = 0;
  charter.governance_threshold = founding.threshold;
  for (const GovernanceKey& key : founding.governance) {
    charter.governance.push_back(key);
    charter.governance.back().until = now + kGovernanceKeyLife;
  }
  charter.deadlines = DefaultDeadlines();
  for (const Founder& founder : founding.founders)
    charter.members.push_back(Member{founder.id,
                                     founder.name,
                                     founder.kind,
                                     std::nullopt,
                                     {},
                                     "",
                                     MemberStatus::kInvited,
                                     now,
                                     std::nullopt,
                                     std::nullopt});
  return charter;
}

}  // namespace amparo::committee

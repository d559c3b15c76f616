#include "agents/committee/changes.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/committee/wording.h"
#include "base/clock.h"
#include "base/json.h"
#include "proto/network/words.h"

namespace amparo::committee {
namespace {

std::string Describe(const Member& member) {
  return absl::StrCat("member ", member.id.text(), " (", member.name, ", ",
                      NameOf(member.kind), ")");
}

// What a charter says, whatever its place among the versions.
Json ContentOf(const Charter& charter) {
  Json json = EncodeCharter(charter);
  for (const char* place : {"version", "net", "prev_hash"}) json.erase(place);
  return json;
}

// What a member's new status means, for people who never read a protocol.
std::string MeaningOf(const Member& member) {
  const std::string id(member.id.text());
  switch (member.status) {
    case MemberStatus::kInvited:
      return absl::StrCat("Nothing can be sent to ", id,
                          " until it has joined.");
    case MemberStatus::kActive:
      return absl::StrCat("From this version on ", id,
                          " sends and receives under the keys that the charter "
                          "names.");
    case MemberStatus::kSuspended:
      return absl::StrCat(
          "From this version on nothing is sent to ", id,
          ", and nothing that it sends is taken; what it sent since ",
          FormatUtc(member.since),
          " is not believed. It keeps what it received, and can be reinstated "
          "with the keys it has.");
    case MemberStatus::kLeft:
      return absl::StrCat(
          "From this version on nothing is sent to ", id,
          ", nothing that it sends is taken, and its keys are revoked for "
          "good; "
          "what it sent since ",
          FormatUtc(member.since),
          " is not believed. What it sent and received before stays proven by "
          "the log, for it and for the others. It comes back only under "
          "another id, as a new member.");
  }
  return "";
}

class Changes {
 public:
  std::vector<std::string> Take() { return std::move(lines_); }

  void SayKey(const char* what, const GovernanceKey& key) {
    Say(what, " ", key.id, ", held by ", key.member.text(), " until ",
        FormatUtc(key.until), ", words: ", GovernanceKeyWords(key.key), ".");
  }

  template <typename... Parts>
  void Say(const Parts&... parts) {
    lines_.push_back(absl::StrCat(parts...));
  }

  // After the line that names the version.
  void SayIfNothing() {
    if (lines_.size() == 1) Say("Nothing else changes.");
  }

  void Found(const Charter& charter) {
    Say("This is version 1: it founds the network ", charter.network, ", \"",
        charter.title, "\".");
    for (const GovernanceKey& key : charter.governance)
      Say("Governance key ", key.id, " is held by ", key.member.text(),
          " until ", FormatUtc(key.until),
          ", words: ", GovernanceKeyWords(key.key), ".");
    Say(charter.governance_threshold,
        " of these members must sign each later version.");
    for (const Member& member : charter.members)
      Say("New: ", Describe(member), ", ", NameOf(member.status), ".");
    for (const std::string& line : DescribeTerms(charter)) Say(line);
  }

  void Compare(const Charter& before, const Charter& after) {
    CompareMembers(before, after);
    CompareGovernance(before, after);
    CompareRest(before, after);
  }

  void CompareMembers(const Charter& before, const Charter& after) {
    for (const Member& member : before.members)
      if (after.Find(member.id) == nullptr)
        Say("Removed: ", Describe(member), ".");
    for (const Member& member : after.members) {
      const Member* old = before.Find(member.id);
      if (old == nullptr)
        Say("New: ", Describe(member), ", ", NameOf(member.status),
            ", identity key ", InWords(member.identity_key), ".");
      else
        CompareMember(*old, member);
    }
  }

  void CompareGovernance(const Charter& before, const Charter& after) {
    if (before.governance_threshold != after.governance_threshold)
      Say("The number of members who must sign changes from ",
          before.governance_threshold, " to ", after.governance_threshold, ".");
    std::map<std::string, const GovernanceKey*> old;
    for (const GovernanceKey& key : before.governance) old[key.id] = &key;
    for (const GovernanceKey& key : after.governance) {
      const auto found = old.find(key.id);
      if (found == old.end())
        SayKey("New governance key", key);
      else if (found->second->key != key.key ||
               found->second->member != key.member ||
               found->second->until != key.until)
        Say("Governance key ", key.id, " changes: held by ", key.member.text(),
            " until ", FormatUtc(key.until),
            ", words: ", GovernanceKeyWords(key.key), ".");
      old.erase(key.id);
    }
    for (const auto& [id, unused] : old)
      Say("Governance key ", id, " is removed.");
  }

  // Every other key of the signed form, so that nothing changes unsaid; beside
  // each what it says in sentences, as version 1 and `show` have them.
  void CompareRest(const Charter& before, const Charter& after) {
    const Json old = EncodeCharter(before);
    const Json now = EncodeCharter(after);
    std::set<std::string> keys;
    for (const Json* form : {&old, &now})
      for (const auto& [key, unused] : form->items()) keys.insert(key);
    for (const std::string& key : keys) {
      if (ToldElsewhere(key)) continue;
      const Json was = old.value(key, Json(nullptr));
      const Json is = now.value(key, Json(nullptr));
      CompareValue(key, was, is);
      CompareTerms(DescribeTerm(before, key, was),
                   DescribeTerm(after, key, is));
    }
  }

  void CompareTerms(const std::vector<std::string>& old,
                    const std::vector<std::string>& now) {
    const auto lacks = [](const std::vector<std::string>& lines,
                          const std::string& line) {
      return std::find(lines.begin(), lines.end(), line) == lines.end();
    };
    for (const std::string& line : now)
      if (lacks(old, line)) Say("That is: ", line);
    for (const std::string& line : old)
      if (lacks(now, line)) Say("No longer: ", line);
  }

  void Warn(const Charter& after) {
    if (after.witness_quorum == 0)
      Say("Note: nobody else watches the log: its quorum of witnesses is 0.");
    if (after.trust_delay == absl::ZeroDuration())
      Say("Note: new keys are trusted at once (trust_delay_h is 0): for trying "
          "out only.");
    if (after.governance_threshold < 2) Say("Note: one member alone decides.");
    WarnOfLoss(after);
    for (const GovernanceKey& key : after.governance) WarnOfHolder(after, key);
  }

 private:
  void WarnOfLoss(const Charter& after) {
    std::set<MemberId> holders;
    for (const GovernanceKey& key : after.governance)
      holders.insert(key.member);
    if (after.governance_threshold < holders.size()) return;
    Say("Note: every holder of a governance key has to sign (",
        after.governance_threshold, " of ", holders.size(),
        "): nobody can be spared. When one key is lost, nothing can be changed "
        "any more, not even that. Let fewer sign (amparo-charter set "
        "governance.threshold), or let more members hold keys.");
  }

  void WarnOfHolder(const Charter& after, const GovernanceKey& key) {
    const Member* const holder = after.Find(key.member);
    if (holder == nullptr)
      Say("Note: governance key ", key.id, " is held by ", key.member.text(),
          ", which is no member; its signature counts.");
    else if (holder->status == MemberStatus::kSuspended ||
             holder->status == MemberStatus::kLeft)
      Say("Note: governance key ", key.id, " is held by ", key.member.text(),
          holder->status == MemberStatus::kLeft ? ", which has left"
                                                : ", which is suspended",
          "; its signature counts until the key is removed.");
  }

  void CompareMember(const Member& old, const Member& now) {
    const std::string who = Describe(now);
    if (old.status != now.status) {
      Say("Status of ", who, " changes from ", NameOf(old.status), " to ",
          NameOf(now.status), ", since ", FormatUtc(now.since), ".");
      Say(MeaningOf(now));
    }
    if (old.identity_key != now.identity_key)
      Say("Identity key of ", who, " changes from ", InWords(old.identity_key),
          " to ", InWords(now.identity_key), ".");
    // What its people read by phone.
    if ((old.identity_key != now.identity_key ||
         old.witness_key != now.witness_key) &&
        now.identity_key && now.witness_key)
      Say("The words of its join request: ",
          RequestWords(*now.identity_key, *now.witness_key), ".");
    if (old.witness_key != now.witness_key)
      Say("Witness key of ", who, " changes from ", InWords(old.witness_key),
          " to ", InWords(now.witness_key), ".");
    if (old.kind != now.kind)
      Say("Kind of ", who, " changes from ", NameOf(old.kind), ".");
    if (old.name != now.name)
      Say("Name of ", who, " changes from \"", old.name, "\".");
    if (old.parent != now.parent || old.territory != now.territory ||
        old.contact != now.contact)
      Say("Parent, territory or contact of ", who, " change: parent \"",
          now.parent.has_value() ? now.parent->text() : "", "\", territory ",
          absl::StrJoin(now.territory, " "), ", contact \"", now.contact,
          "\".");
    if (old.since != now.since && old.status == now.status)
      CompareDates(old, now);
  }

  void CompareDates(const Member& old, const Member& now) {
    Say("Date of ", Describe(now), " (", NameOf(now.status), ") changes from ",
        FormatUtc(old.since), " to ", FormatUtc(now.since), ".");
    if (now.status == MemberStatus::kActive && now.since > old.since)
      Say("This ends a suspension of ", now.id.text(),
          " by two keys (suspend-now), if there is one that is in the log "
          "since ",
          FormatUtc(now.since),
          " or before: mail goes to it and comes from it again. If there is "
          "none, only this date changes.");
    else if (now.status == MemberStatus::kSuspended ||
             now.status == MemberStatus::kLeft)
      Say("What ", now.id.text(), " sent since ", FormatUtc(now.since),
          " is not believed.");
  }

  void CompareValue(const std::string& name, const Json& old, const Json& now) {
    if (old == now) return;
    // A table is compared row by row; what has no row on a side is told whole.
    if (old.is_object() && now.is_object()) {
      std::set<std::string> keys;
      for (const auto& [key, unused] : old.items()) keys.insert(key);
      for (const auto& [key, unused] : now.items()) keys.insert(key);
      for (const std::string& key : keys)
        CompareValue(absl::StrCat(name, ".", key),
                     old.contains(key) ? old[key] : Json(nullptr),
                     now.contains(key) ? now[key] : Json(nullptr));
      return;
    }
    if (old.is_array() && now.is_array()) return CompareList(name, old, now);
    Say(name, " changes from ", InWords(old), " to ", InWords(now), ".");
  }

  // What came and what went: nobody finds one code in two long lists.
  void CompareList(const std::string& name, const Json& old, const Json& now) {
    const std::string added = Missing(now, old), dropped = Missing(old, now);
    if (added.empty() && dropped.empty())
      return Say(name, " changes its order to ", InWords(now), ".");
    Say(name, " changes:", added.empty() ? "" : absl::StrCat(" new ", added),
        added.empty() || dropped.empty() ? "" : ";",
        dropped.empty() ? "" : absl::StrCat(" no longer ", dropped), ".");
  }

  // The items of `list` that `other` has not.
  static std::string Missing(const Json& list, const Json& other) {
    std::string text;
    for (const Json& item : list)
      if (std::find(other.begin(), other.end(), item) == other.end())
        absl::StrAppend(&text, text.empty() ? "" : ", ", InWords(item));
    return text;
  }

  static bool ToldElsewhere(const std::string& key) {
    static const std::set<std::string> kKeys = {"version", "net", "prev_hash",
                                                "governance", "member"};
    return kKeys.contains(key);
  }

  std::vector<std::string> lines_;
};

}  // namespace

bool SayTheSame(const Charter& one, const Charter& other) {
  return ContentOf(one) == ContentOf(other);
}

std::vector<std::string> DescribeDifferences(const Charter& before,
                                             const Charter& after) {
  Changes changes;
  changes.Compare(before, after);
  return changes.Take();
}

std::vector<std::string> DescribeChanges(const std::optional<Charter>& before,
                                         const Charter& after) {
  Changes changes;
  if (before.has_value()) {
    changes.Say("This is version ", after.version, ", after version ",
                before->version, ".");
    changes.Compare(*before, after);
    changes.SayIfNothing();
  } else {
    changes.Found(after);
  }
  changes.Warn(after);
  return changes.Take();
}

}  // namespace amparo::committee

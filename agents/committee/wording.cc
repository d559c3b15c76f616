#include "agents/committee/wording.h"

#include <functional>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "crypto/note.h"
#include "proto/network/words.h"

namespace amparo::committee {
namespace {

std::string Text(absl::Duration time) {
  const int64_t minutes = absl::ToInt64Minutes(time);
  if (minutes % 60 != 0) return absl::StrCat(minutes, " minutes");
  const int64_t hours = minutes / 60;
  if (hours % 24 != 0 || hours < 72)
    return absl::StrCat(hours, hours == 1 ? " hour" : " hours");
  return absl::StrCat(hours / 24, " days");
}

std::string KeyText(const NoteVerifier& key) {
  return absl::StrCat(key.name(), ", words: ", GovernanceKeyWords(key.key()));
}

std::string KeysText(const std::vector<NoteVerifier>& keys) {
  return absl::StrJoin(keys, "; ", [](std::string* out, const auto& key) {
    absl::StrAppend(out, KeyText(key));
  });
}

using Lines = std::vector<std::string>;

Lines DeadlineLines(const Charter& charter) {
  Lines lines;
  for (const auto& [priority, times] : charter.deadlines) {
    Lines parts;
    if (times.acknowledge)
      parts.push_back(
          absl::StrCat("acknowledged within ", Text(*times.acknowledge)));
    if (times.decide)
      parts.push_back(absl::StrCat("decided within ", Text(*times.decide)));
    lines.push_back(absl::StrCat("A referral that is ", priority, " is ",
                                 absl::StrJoin(parts, " and "), "."));
  }
  return lines;
}

Lines Matrix(const Charter& charter) {
  if (charter.matrix.empty())
    return {
        "What each kind of member may receive: the default of the protocol."};
  Lines lines;
  for (const auto& [kind, row] : charter.matrix)
    lines.push_back(absl::StrCat(
        "What ", NameOf(kind), " may receive differs from the default: ",
        absl::StrJoin(row, ", ",
                      [](std::string* out, const auto& item) {
                        absl::StrAppend(out, item.first, " ",
                                        std::string(1, item.second));
                      }),
        " (F full, S summary, C full for the first contact, G where the "
        "consent names it, - nothing, X never)."));
  return lines;
}

Lines Witnesses(const Charter& charter) {
  Lines lines = {charter.witness_quorum == 0
                     ? "No witness has to cosign the log."
                     : absl::StrCat("Each state of the log needs the "
                                    "cosignatures of ",
                                    charter.witness_quorum, " witnesses.")};
  lines.push_back(absl::StrCat("It is reckoned that ", charter.witness_faulty,
                               " of them may fail."));
  if (!charter.outside_witnesses.empty())
    lines.push_back(absl::StrCat(
        "Witnesses from outside: ", KeysText(charter.outside_witnesses), "."));
  return lines;
}

// By the names of the signed form.
const std::map<std::string, std::function<Lines(const Charter&)>>& Sentences() {
  static const std::map<std::string, std::function<Lines(const Charter&)>>
      sentences = {
          {"expires",
           [](const Charter& c) -> Lines {
             return {absl::StrCat("The charter ends at ", FormatUtc(c.expires),
                                  "; a new version comes before.")};
           }},
          {"timezone",
           [](const Charter& c) -> Lines {
             return {absl::StrCat("Its clock is that of ", c.timezone, ".")};
           }},
          {"jurisdiction",
           [](const Charter& c) -> Lines {
             return {absl::StrCat("Its law is that of ", c.jurisdiction, ".")};
           }},
          {"trust_delay_h",
           [](const Charter& c) -> Lines {
             return {
                 c.trust_delay == absl::ZeroDuration()
                     ? "A new key is trusted at once."
                     : absl::StrCat(
                           "A new key that no earlier one vouches for waits ",
                           Text(c.trust_delay),
                           ", unless its words were compared by phone.")};
           }},
          {"purposes",
           [](const Charter& c) -> Lines {
             return {absl::StrCat("Data may be used for: ",
                                  absl::StrJoin(c.purposes, ", "), ".")};
           }},
          {"bases",
           [](const Charter& c) -> Lines {
             return {
                 absl::StrCat("Legal bases for a disclosure without "
                              "consent: ",
                              absl::StrJoin(c.bases, ", "), ".")};
           }},
          {"reason_codes",
           [](const Charter& c) -> Lines {
             return {absl::StrCat("Reasons for one: ",
                                  absl::StrJoin(c.reason_codes, ", "), ".")};
           }},
          {"suites",
           [](const Charter& c) -> Lines {
             return {absl::StrCat("Cryptographic suites: ",
                                  absl::StrJoin(c.suites_allowed, ", "),
                                  "; the lowest is ", c.suite_min, ".")};
           }},
          {"log",
           [](const Charter& c) -> Lines {
             return {absl::StrCat("The log is signed by ", KeysText(c.log_keys),
                                  ".")};
           }},
          {"witness", Witnesses},
          {"deadlines", DeadlineLines},
          {"matrix", Matrix},
      };
  return sentences;
}

}  // namespace

std::string InWords(const Json& value) {
  const auto item = [](std::string* out, const Json& one) {
    absl::StrAppend(out, InWords(one));
  };
  if (value.is_null()) return "nothing";
  if (value.is_array())
    return value.empty() ? "nothing" : absl::StrJoin(value, ", ", item);
  if (value.is_object()) {
    Lines parts;
    for (const auto& [name, one] : value.items())
      parts.push_back(absl::StrCat(
          name, " ", one.is_string() ? one.get<std::string>() : InWords(one)));
    return parts.empty() ? "nothing" : absl::StrJoin(parts, ", ");
  }
  if (value.is_string()) {
    const auto key = NoteVerifier::Parse(value.get<std::string>());
    if (key.ok()) return KeyText(*key);
  }
  return DumpJson(value);
}

std::string InWords(const std::optional<VerifyKey>& key) {
  return key.has_value() ? absl::StrCat("words: ", GovernanceKeyWords(*key))
                         : "none";
}

std::vector<std::string> DescribeTerm(const Charter& charter,
                                      const std::string& name,
                                      const Json& value) {
  static const std::set<std::string> kElsewhere = {
      "version", "net",        "prev_hash", "network",
      "title",   "governance", "member"};
  if (kElsewhere.contains(name)) return {};
  const auto found = Sentences().find(name);
  if (found == Sentences().end())
    return {absl::StrCat(name, ": ", InWords(value), ".")};
  return found->second(charter);
}

std::vector<std::string> DescribeTerms(const Charter& charter) {
  Lines lines;
  const Json all = EncodeCharter(charter);
  for (const auto& [name, value] : all.items())
    for (std::string& line : DescribeTerm(charter, name, value))
      lines.push_back(std::move(line));
  return lines;
}

}  // namespace amparo::committee

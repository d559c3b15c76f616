#include "agents/committee/setting.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agents/committee/timezone.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::committee {
namespace {

enum class Form { kText, kNumber, kTime, kTexts, kNumbers, kDeadline, kLetter };

// A part in capitals stands for any.
struct Known {
  const char* name;
  Form form;
  const char* takes;
};
constexpr Known kSettings[] = {
    {"title", Form::kText, "TEXT"},
    {"timezone", Form::kText, "Europe/Lisbon"},
    {"jurisdiction", Form::kText, "PT"},
    {"expires", Form::kTime, "2028-01-31 or 2028-01-31T12:00:00Z"},
    {"trust_delay_h", Form::kNumber, "hours"},
    {"purposes", Form::kTexts, "CODE..."},
    {"bases", Form::kTexts, "CODE..."},
    {"reason_codes", Form::kTexts, "CODE..."},
    {"deadlines.PRIORITY.acknowledge", Form::kDeadline, "24h, 90min or none"},
    {"deadlines.PRIORITY.decide", Form::kDeadline, "24h, 90min or none"},
    {"matrix.KIND.SECTION", Form::kLetter, "F S C G - X or default"},
    {"witness.quorum", Form::kNumber, "cosignatures needed"},
    {"witness.faulty", Form::kNumber, "witnesses that may fail"},
    {"witness.keys", Form::kTexts, "verifier keys of outsiders"},
    {"log.keys", Form::kTexts, "verifier keys of the broker's log"},
    {"suites.allowed", Form::kNumbers, "numbers of suites"},
    {"suites.min", Form::kNumber, "lowest suite"},
    {"governance.threshold", Form::kNumber, "members who must sign"},
    {"member.ID.name", Form::kText, "TEXT"},
    {"member.ID.contact", Form::kText, "a duty, never a person"},
    {"member.ID.parent", Form::kText, "MEMBER, or \"\" for none"},
    {"member.ID.territory", Form::kTexts, "CODE..."},
};

absl::Status Usage(absl::string_view message, const char* field,
                   const std::string& expected) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.code = "usage", .field = field, .expected = expected});
}

bool Fits(const Known& known, const std::vector<std::string>& path) {
  const std::vector<std::string> parts = absl::StrSplit(known.name, '.');
  if (parts.size() != path.size()) return false;
  for (size_t i = 0; i < parts.size(); ++i)
    if (!absl::ascii_isupper(static_cast<unsigned char>(parts[i][0])) &&
        parts[i] != path[i])
      return false;
  return true;
}

// The name that `words` begin with; it ends up in `path`, and the words after
// it in `values`.
const Known* FindKnown(const std::vector<std::string>& words,
                       std::vector<std::string>& path,
                       std::vector<std::string>& values) {
  path = words.empty()
             ? std::vector<std::string>()
             : std::vector<std::string>(absl::StrSplit(words[0], '.'));
  for (size_t taken = 1; taken <= words.size(); ++taken) {
    if (taken > 1) path.push_back(words[taken - 1]);
    for (const Known& known : kSettings)
      if (Fits(known, path)) {
        values.assign(words.begin() + static_cast<ptrdiff_t>(taken),
                      words.end());
        return &known;
      }
  }
  return nullptr;
}

absl::StatusOr<Json> Number(const std::string& text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number))
    return Usage("not a number", "VALUE", "a whole number");
  return Json(number);
}

absl::StatusOr<Json> Time(const std::string& text) {
  const absl::StatusOr<absl::Time> time =
      ParseUtc(IsDate(text) ? absl::StrCat(text, "T00:00:00Z") : text);
  if (!time.ok())
    return Usage("not a time", "VALUE", "2028-01-31 or 2028-01-31T12:00:00Z");
  return Json(FormatUtc(*time));
}

absl::StatusOr<Json> List(const Json& before,
                          const std::vector<std::string>& values, bool numbers,
                          ListChange change) {
  Json list = change == ListChange::kReplace ? Json::array() : before;
  for (const std::string& text : values) {
    Json value = text;
    if (numbers) {
      ASSIGN_OR_RETURN(value, Number(text));
    }
    const auto found = std::find(list.begin(), list.end(), value);
    if (change == ListChange::kRemove) {
      if (found == list.end())
        return Usage(absl::StrCat(text, " is not in the list"), "VALUE",
                     DumpJson(before));
      list.erase(found);
    } else if (found == list.end()) {
      list.push_back(std::move(value));
    }
  }
  return list;
}

// deadlines.PRIORITY.NAME: hours or minutes, under another key each.
absl::Status SetDeadline(Json& charter, const std::vector<std::string>& path,
                         const std::string& text) {
  Json& row = charter[path[0]][path[1]];
  if (row.is_null()) row = Json::object();
  const std::string hours = path[2] + "_h", minutes = path[2] + "_min";
  absl::string_view number = text;
  const std::string key = absl::ConsumeSuffix(&number, "min") ? minutes : hours;
  if (key == hours) absl::ConsumeSuffix(&number, "h");
  int64_t value = 0;
  if (text != "none" &&
      (number.size() == text.size() || !absl::SimpleAtoi(number, &value)))
    return Usage("not a deadline", "VALUE", "24h, 90min or none");
  row.erase(hours);
  row.erase(minutes);
  if (text != "none") row[key] = value;
  return absl::OkStatus();
}

// As docs/PROTOCOL.md names them. A row of the matrix for any other section
// would bar nobody from anything.
constexpr absl::string_view kSections[] = {
    "identity",    "safe_contact", "risk",    "incident",
    "perpetrator", "health",       "legal",   "children",
    "housing",     "needs",        "special", "narrative"};

// Legal bases: letters of GDPR Art. 6(1) and 9(2), articles of the Law
// Enforcement Directive. A country's own begin with its two letters: MX-...
constexpr absl::string_view kBases[] = {
    "A6-1-a", "A6-1-b", "A6-1-c", "A6-1-d", "A6-1-e", "A6-1-f",
    "A9-2-a", "A9-2-b", "A9-2-c", "A9-2-d", "A9-2-e", "A9-2-f",
    "A9-2-g", "A9-2-h", "A9-2-i", "A9-2-j", "LED-8",  "LED-10"};

bool IsCountrys(absl::string_view code) {
  return code.size() > 3 && code[2] == '-' &&
         absl::ascii_isupper(static_cast<unsigned char>(code[0])) &&
         absl::ascii_isupper(static_cast<unsigned char>(code[1]));
}

// A code that no form would ever name lets nobody disclose anything.
absl::Status CheckBases(const std::vector<std::string>& codes) {
  for (const std::string& code : codes)
    if (std::find(std::begin(kBases), std::end(kBases), code) ==
            std::end(kBases) &&
        !IsCountrys(code))
      return Usage(absl::StrCat(code, " is no legal basis that is known"),
                   "VALUE",
                   absl::StrCat(absl::StrJoin(kBases, " "),
                                ", or a country's own: PT-..."));
  return absl::OkStatus();
}

absl::Status SetLetter(Json& charter, const std::vector<std::string>& path,
                       const std::string& text) {
  Json& matrix = charter[path[0]];
  const bool stands =
      matrix.contains(path[1]) && matrix[path[1]].contains(path[2]);
  // One that stands there may go, whatever its name.
  if (std::find(std::begin(kSections), std::end(kSections), path[2]) ==
          std::end(kSections) &&
      !(stands && text == "default"))
    return Usage("no such section", "NAME", absl::StrJoin(kSections, " "));
  if (text != "default") {
    matrix[path[1]][path[2]] = text;
    return absl::OkStatus();
  }
  if (!stands) return absl::OkStatus();
  matrix[path[1]].erase(path[2]);
  if (matrix[path[1]].empty()) matrix.erase(path[1]);
  return absl::OkStatus();
}

// Where the value stands; nullptr when a member is not there.
Json* Place(Json& charter, const std::vector<std::string>& path) {
  if (path[0] != "member") {
    Json* at = &charter;
    for (const std::string& part : path) at = &(*at)[part];
    return at;
  }
  for (Json& member : charter["member"])
    if (member["id"] == path[1]) return &member[path[2]];
  return nullptr;
}

bool IsList(Form form) {
  return form == Form::kTexts || form == Form::kNumbers;
}

absl::StatusOr<Json> ValueOf(const Known& known, const Json& before,
                             const std::vector<std::string>& values,
                             ListChange change) {
  if (IsList(known.form))
    return List(before, values, known.form == Form::kNumbers, change);
  if (known.form == Form::kNumber) return Number(values[0]);
  if (known.form == Form::kTime) return Time(values[0]);
  return Json(values[0]);
}

}  // namespace

std::string SettingsText() {
  std::string text;
  for (const Known& known : kSettings) {
    std::string name = known.name;
    absl::StrAppend(
        &text, "  ", name,
        std::string(std::max<size_t>(32, name.size() + 1) - name.size(), ' '),
        known.takes, "\n");
  }
  return text;
}

absl::StatusOr<Setting> ApplySetting(Json charter,
                                     const std::vector<std::string>& words,
                                     ListChange change) {
  std::vector<std::string> path, values;
  const Known* const known = FindKnown(words, path, values);
  if (known == nullptr)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "there is nothing of this name to set",
                     {.code = "usage",
                      .field = "KEY",
                      .hint = "amparo-charter set --help lists the names"});
  const bool replaces = change == ListChange::kReplace;
  if (!IsList(known->form) && (values.size() != 1 || !replaces))
    return Usage(absl::StrCat(known->name, " takes one value"), "VALUE",
                 known->takes);
  if (IsList(known->form) && values.empty() && !replaces)
    return Usage("no value is given", "VALUE", known->takes);
  Setting setting{absl::StrJoin(path, "."), std::move(charter)};
  if (known->form == Form::kDeadline) {
    RETURN_IF_ERROR(SetDeadline(setting.charter, path, values[0]));
    return setting;
  }
  if (known->form == Form::kLetter) {
    RETURN_IF_ERROR(SetLetter(setting.charter, path, values[0]));
    return setting;
  }
  // One that stands there already may go, whatever it is.
  if (path[0] == "bases" && change != ListChange::kRemove)
    RETURN_IF_ERROR(CheckBases(values));
  if (path[0] == "timezone") RETURN_IF_ERROR(CheckTimezone(values[0], "VALUE"));
  Json* const place = Place(setting.charter, path);
  if (place == nullptr)
    return MakeError(absl::StatusCode::kNotFound,
                     absl::StrCat("the draft has no member ", path[1]),
                     {.code = "unknown_member", .field = "KEY"});
  ASSIGN_OR_RETURN(*place, ValueOf(*known, *place, values, change));
  return setting;
}

}  // namespace amparo::committee

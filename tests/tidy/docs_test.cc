#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

// What docs/ says as a list is the list of the code, and what a comment cites
// is there.

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = AMPARO_SOURCE_DIR;

std::string Read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Lower(std::string text) {
  for (char& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// "KeyEvent" -> "key_event".
std::string Snake(const std::string& name) {
  std::string snake;
  for (const char c : name) {
    if (std::isupper(static_cast<unsigned char>(c)) && !snake.empty())
      snake += '_';
    snake += c;
  }
  return Lower(snake);
}

std::map<std::string, std::string> Sources(
    std::initializer_list<const char*> tops) {
  std::map<std::string, std::string> sources;  // by path
  for (const char* top : tops)
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / top)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".h" || extension == ".cc" || extension == ".proto")
        sources[fs::relative(entry.path(), kRoot).generic_string()] =
            Read(entry.path());
    }
  return sources;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The comments of a source, one paragraph a line: a comment that goes on in the
// next line is one sentence.
std::string Comments(const std::string& source) {
  std::string text;
  for (const std::string& line : Lines(source)) {
    const size_t at = line.find("//");
    if (at == std::string::npos) {
      text += '\n';
      continue;
    }
    const bool goes_on = line.find_first_not_of(' ') == at;
    text += goes_on ? ' ' : '\n';
    const size_t begin = line.find_first_not_of("/ ", at);
    if (begin != std::string::npos) text += line.substr(begin);
  }
  return std::regex_replace(text, std::regex("/ "), "/");
}

std::set<std::string> FindAll(const std::string& text, const std::string& what,
                              size_t group = 1) {
  const std::regex regex(what);
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end;
       ++it)
    found.insert((*it)[group]);
  return found;
}

// Rows of the first table under a heading, cell by cell, without backticks.
std::vector<std::vector<std::string>> Table(const std::string& document,
                                            const std::string& heading) {
  std::vector<std::vector<std::string>> rows;
  bool inside = false;
  for (const std::string& line : Lines(document)) {
    if (line.rfind('#', 0) == 0)
      inside = line.substr(line.find_first_not_of("# ")) == heading;
    if (!inside || line.rfind('|', 0) != 0) {
      if (inside && !rows.empty()) break;
      continue;
    }
    std::vector<std::string> cells;
    std::istringstream in(line.substr(1));
    for (std::string cell; std::getline(in, cell, '|');) {
      const size_t begin = cell.find_first_not_of(" `");
      const size_t end = cell.find_last_not_of(" `");
      cells.push_back(begin == std::string::npos
                          ? ""
                          : cell.substr(begin, end - begin + 1));
    }
    rows.push_back(cells);
  }
  if (rows.size() > 2) rows.erase(rows.begin(), rows.begin() + 2);
  return rows;
}

std::set<std::string> Column(const std::vector<std::vector<std::string>>& rows,
                             size_t index) {
  std::set<std::string> names;
  for (const auto& row : rows)
    if (index < row.size()) names.insert(row[index]);
  return names;
}

const std::string& Protocol() {
  static const std::string text = Read(kRoot / "docs/PROTOCOL.md");
  return text;
}
const std::string& AuditEvents() {
  static const std::string text = Read(kRoot / "docs/AUDIT_EVENTS.md");
  return text;
}

void ExpectNamed(const std::set<std::string>& names, const char* what) {
  EXPECT_FALSE(names.empty()) << what;
  for (const std::string& name : names)
    EXPECT_NE(Protocol().find("`" + name + "`"), std::string::npos)
        << "docs/PROTOCOL.md has no " << what << " " << name;
}

TEST(ProtocolDocument, HasEverySectionThatACommentCites) {
  std::set<std::string> headings;
  for (const std::string& line : Lines(Protocol()))
    if (line.rfind('#', 0) == 0)
      headings.insert(Lower(line.substr(line.find_first_not_of("# "))));
  size_t citations = 0;
  for (const auto& [path, source] :
       Sources({"base", "crypto", "proto", "broker", "agents", "tests"}))
    for (const std::string& cited :
         FindAll(Comments(source), "PROTOCOL\\.md, ([A-Za-z][A-Za-z -]*)")) {
      ++citations;
      const std::regex between(" and ");
      for (std::sregex_token_iterator
               name(cited.begin(), cited.end(), between, -1),
           end;
           name != end; ++name)
        EXPECT_TRUE(headings.contains(
            Lower(std::regex_replace(name->str(), std::regex(" +$"), ""))))
            << path << " cites docs/PROTOCOL.md, " << name->str();
    }
  EXPECT_GT(citations, 20u) << "the comments were not read";
}

TEST(ProtocolDocument, HasEveryLabelAndTypOfTheCode) {
  std::set<std::string> labels, types;
  for (const auto& [path, source] :
       Sources({"crypto", "proto", "broker", "agents"})) {
    labels.merge(FindAll(source, "\"(amparo/v1/[a-z-]+)\""));
    types.merge(FindAll(source, "\"(amparo-[a-z-]+\\+(?:jws|jwt|sd-jwt))\""));
  }
  ExpectNamed(labels, "label");
  ExpectNamed(types, "typ");
}

TEST(ProtocolDocument, HasEveryLimit) {
  ExpectNamed(FindAll(Read(kRoot / "proto/envelope/limits.h"),
                      "constexpr [a-z0-9_:A-Z]+ (k[A-Za-z]+)"),
              "limit");
}

TEST(ProtocolDocument, GivesEveryErrorCodeTheExitThatProgramsGiveIt) {
  std::map<std::string, std::set<std::string>> by_exit;
  const std::string code = Read(kRoot / "base/error.cc");
  const std::regex pair("\\{\"([a-z_]+)\",\\s*([0-9])\\}");
  for (std::sregex_iterator it(code.begin(), code.end(), pair), end; it != end;
       ++it)
    by_exit[(*it)[2]].insert((*it)[1]);
  std::map<std::string, std::set<std::string>> documented;
  for (const auto& row : Table(Protocol(), "Exit codes"))
    if (row.size() > 1) documented[row[0]] = FindAll(row[1], "([a-z_]+)");
  EXPECT_FALSE(by_exit.empty());
  EXPECT_EQ(documented, by_exit);
}

TEST(AuditEventsDocument, ListsTheLogEntryClassesOfTheCode) {
  std::set<std::string> classes;
  for (const std::string& name :
       FindAll(Read(kRoot / "proto/envelope/log_entry.h"),
               "struct ([A-Za-z]+)Entry \\{"))
    if (name != "Log") classes.insert(Snake(name));
  classes.erase("");
  EXPECT_FALSE(classes.empty());
  EXPECT_EQ(Column(Table(AuditEvents(), "Log entry classes"), 1), classes);
}

TEST(AuditEventsDocument, ListsTheAuditEventsOfTheCodeWithTheirNumbers) {
  const std::string code = Read(kRoot / "proto/envelope/audit_event.cc");
  std::smatch names;
  ASSERT_TRUE(
      std::regex_search(code, names, std::regex("kNames = \\{([^}]*)\\}")));
  std::vector<std::string> expected;
  const std::string list = names[1];
  const std::regex quoted("\"([a-z_]+)\"");
  for (std::sregex_iterator it(list.begin(), list.end(), quoted), end;
       it != end; ++it)
    expected.push_back((*it)[1]);
  for (const std::string* document : {&AuditEvents(), &Protocol()}) {
    const auto rows = Table(*document, "Audit events");
    ASSERT_EQ(rows.size(), expected.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i][0], std::to_string(i + 1));
      EXPECT_EQ(rows[i][1], expected[i]);
    }
  }
  // A kind that has no row in the code's own table would be missed above.
  EXPECT_EQ(FindAll(Read(kRoot / "proto/envelope/log_entry.h"),
                    "struct [A-Za-z]+Event \\{  // ([0-9]+)")
                .size(),
            expected.size());
}

// What an agent writes down as `action`: set directly, or handed to a function
// that takes one.
std::set<std::string> AccessLogActions() {
  const auto sources = Sources({"agents/institution"});
  std::set<std::string> actions, takers;
  for (const auto& [path, source] : sources)
    takers.merge(
        FindAll(source, "(\\w+)\\(\\s*(?:[^()]*,\\s*)?const char\\* action"));
  for (const auto& [path, source] : sources) {
    actions.merge(FindAll(source, "\\.action = \"([a-z_]+)\""));
    for (const std::string& taker : takers)
      actions.merge(FindAll(source, "\\b" + taker + "\\([^;\"]*\"([a-z_]+)\""));
  }
  return actions;
}

TEST(AuditEventsDocument, ListsTheAccessLogActionsOfTheCode) {
  const std::set<std::string> actions = AccessLogActions();
  ASSERT_FALSE(actions.empty()) << "no desk writes to the access log";
  EXPECT_EQ(Column(Table(AuditEvents(), "Access-log actions"), 0), actions);
  // An auditor's filter refuses any other.
  std::string known = Read(kRoot / "agents/auditor/access_names.cc");
  known = known.substr(known.find("Actions() {"));
  EXPECT_EQ(FindAll(known.substr(0, known.find("return")), "\"([a-z_]+)\""),
            actions);
}

const std::string& Operations() {
  static const std::string text = Read(kRoot / "docs/OPERATIONS.md");
  return text;
}

// A row may name several.
std::set<std::string> NamesIn(std::initializer_list<const char*> headings) {
  std::set<std::string> names;
  for (const char* heading : headings)
    for (const std::string& cell : Column(Table(Operations(), heading), 0))
      names.merge(FindAll(cell, "([a-z_]+)"));
  return names;
}

TEST(OperationsDocument, ListsTheJournalEventsOfTheCode) {
  std::set<std::string> events;
  for (const auto& [path, source] :
       Sources({"base", "crypto", "proto", "broker", "agents"}))
    events.merge(FindAll(source,
                         "\\bLog(?:Event|Failure)\\(\\s*"
                         "(?:EventLevel::\\w+,\\s*)?\"([a-z_]+)\""));
  EXPECT_FALSE(events.empty());
  EXPECT_EQ(NamesIn({"The broker's journal", "The agent's journal",
                     "The witness's journal"}),
            events);
}

TEST(OperationsDocument, ListsTheAlarmsOfTheCode) {
  std::set<std::string> alarms;
  for (const auto& [path, source] : Sources({"agents/institution"}))
    alarms.merge(FindAll(
        source, "\\b(?:Raise\\(|Contradicts\\(note,)\\s*\"([a-z_]+)\""));
  EXPECT_FALSE(alarms.empty());
  EXPECT_EQ(NamesIn({"Alarms"}), alarms);
}

// "Suite.Name" of every test, and "Suite.*".
std::set<std::string> Tests() {
  std::set<std::string> tests;
  const std::regex macro("\\bTEST(?:_F|_P)?\\(\\s*(\\w+),\\s*(\\w+)");
  for (const auto& [path, source] : Sources({"tests"}))
    for (std::sregex_iterator at(source.begin(), source.end(), macro), end;
         at != end; ++at) {
      tests.insert((*at)[1].str() + "." + (*at)[2].str());
      tests.insert((*at)[1].str() + ".*");
    }
  return tests;
}

TEST(SecurityDocument, NamesTestsThatAreThere) {
  const std::set<std::string> named =
      FindAll(Read(kRoot / "SECURITY.md"), "`(\\w+\\.(?:\\w+|\\*))`");
  const std::set<std::string> tests = Tests();
  size_t checked = 0;
  for (const std::string& name : named) {
    if (!std::isupper(static_cast<unsigned char>(name.front()))) continue;
    ++checked;
    EXPECT_TRUE(tests.contains(name)) << name;
  }
  EXPECT_GT(checked, 20u);
}

}  // namespace

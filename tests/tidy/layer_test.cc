#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

// The arrows between rooms (docs/ARCHITECTURE.md): every #include "..." of the
// tree is checked against one table, every fenced header against another.

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = AMPARO_SOURCE_DIR;

// The folders that a folder's files may include from, besides itself. A name
// ending in .h allows that one header.
const std::map<std::string, std::set<std::string>>& Arrows() {
  static const std::map<std::string, std::set<std::string>> arrows = [] {
    const std::set<std::string> network = {"base", "crypto", "proto/network"};
    const std::set<std::string> shared = {"base", "crypto", "proto/network",
                                          "proto/envelope"};
    const auto with = [](std::set<std::string> set,
                         std::initializer_list<const char*> more) {
      set.insert(more.begin(), more.end());
      return set;
    };
    std::map<std::string, std::set<std::string>> table;
    table["base"] = {};
    table["base/kv"] = {"base"};
    table["crypto"] = {"base"};
    table["proto/network"] = {"base", "crypto"};
    table["proto/envelope"] = network;
    table["proto/content"] = shared;
    table["proto/grpc"] = with(shared, {"amparo/v1"});
    table["proto/http"] = {"base", "proto/network"};
    table["broker/store"] = shared;
    table["broker/core"] = with(shared, {"broker/store/store.h"});
    table["broker/rpc"] =
        with(shared, {"broker/store/store.h", "broker/core", "proto/grpc", "amparo/v1"});
    // Wires the broker and keeps its directory: what a main would do.
    table["broker/daemon"] =
        with(table["broker/rpc"], {"broker/rpc", "broker/store/rocks_store.h", "proto/http"});
    table["agents/institution/core"] = with(shared, {"base/kv", "proto/content"});
    table["agents/institution/storage"] = {"base", "base/kv", "crypto"};
    table["agents/institution/rpc"] =
        with(table["agents/institution/core"],
             {"agents/institution/core", "proto/grpc", "amparo/v1", "amparo/agent/v1"});
    table["agents/institution/daemon"] =
        with(table["agents/institution/rpc"],
             {"agents/institution/rpc", "agents/institution/storage"});
    table["agents/officer"] = {"base", "proto/grpc", "amparo/agent/v1"};
    table["agents/auditor"] = shared;
    table["agents/committee"] = network;
    table["agents/auditor/rpc"] =
        with(shared, {"agents/auditor", "proto/grpc", "amparo/v1"});
    table["agents/auditor/witness"] = with(shared, {"agents/auditor", "proto/http"});
    table["agents/committee/rpc"] =
        with(network, {"agents/committee", "proto/grpc", "amparo/v1"});
    return table;
  }();
  return arrows;
}

// Files that may reach beyond their folder's row, with what they may reach.
const std::map<std::string, std::set<std::string>>& Exceptions() {
  static const std::map<std::string, std::set<std::string>> exceptions = {
      // Encodes signed protobufs (header, anchor) for everybody who hashes them.
      {"proto/envelope/codec.cc", {"amparo/v1"}},
      // Opened cases, and they alone, are judged by what agents know of a case.
      {"agents/auditor/access_names.cc", {"proto/content"}},
      {"agents/auditor/case_check.h", {"proto/content"}},
      {"agents/auditor/case_check.cc", {"proto/content"}},
      {"agents/auditor/case_covered.cc", {"proto/content"}},
      {"agents/auditor/case_document.cc", {"proto/content"}},
      {"agents/auditor/case_gather.cc", {"proto/content"}},
      {"agents/auditor/replay.h", {"proto/content/case_opening.h"}},
      {"agents/auditor/rpc/replay_command.cc",
       {"proto/content/case_opening.h"}},
  };
  return exceptions;
}

// Third-party headers and who may include them.
struct Fence {
  const char* header;  // regular expression over <...>
  const char* files;   // regular expression over the path
};
constexpr Fence kFences[] = {
    {"sodium.*", "crypto/.*"},
    {"openssl/.*", "crypto/.*|proto/grpc/.*"},
    {"rocksdb/.*", "base/kv/rocks_kv\\.cc|broker/store/rocks_.*"},
    {"prometheus/.*", "broker/daemon/metrics.*"},
    {"curl/.*", "proto/http/http_client\\.cc"},
    {"microhttpd\\.h", "proto/http/http_port\\.cc"},
    {"qrencode\\.h", "broker/daemon/qr_code\\.cc"},
    {"libpq-fe\\.h", "broker/store/postgres_.*"},
    {"grpcpp/.*|grpc/.*", "proto/grpc/.*|.*/(rpc|daemon)/.*|agents/officer/.*"},
    {"google/protobuf/.*",
     "proto/envelope/codec\\.cc|proto/grpc/.*|.*/rpc/.*|agents/officer/.*"},
};

bool IsMain(const std::string& path) {
  return path.size() > 8 && path.substr(path.size() - 8) == "_main.cc";
}

std::string FolderOf(const std::string& path) {
  return fs::path(path).parent_path().generic_string();
}

struct Source {
  std::string path;  // from the root
  std::vector<std::string> own, system;
};

std::vector<Source> Sources(std::initializer_list<const char*> tops) {
  std::vector<Source> sources;
  const std::regex include("^\\s*#\\s*include\\s*([\"<])([^\">]+)[\">].*");
  for (const char* top : tops) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / top)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      Source source{fs::relative(entry.path(), kRoot).generic_string(), {}, {}};
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        std::smatch match;
        if (std::regex_match(line, match, include))
          (match[1] == "\"" ? source.own : source.system).push_back(match[2]);
      }
      sources.push_back(std::move(source));
    }
  }
  return sources;
}

bool Allowed(const std::set<std::string>& row, const std::string& header) {
  return row.contains(header) || row.contains(FolderOf(header));
}

// Folders whose headers are ours: everything else in quotes is a library's.
bool IsOurs(const std::string& header) {
  const std::string top = header.substr(0, header.find('/'));
  return std::set<std::string>{"base", "crypto", "proto", "broker", "agents",
                               "amparo", "tests", "deploy"}
      .contains(top);
}

TEST(Layers, EveryIncludeFollowsAnArrow) {
  for (const Source& source : Sources({"base", "crypto", "proto", "broker", "agents"})) {
    if (IsMain(source.path)) continue;  // a main may use anything below it
    const std::string folder = FolderOf(source.path);
    const auto row = Arrows().find(folder);
    ASSERT_NE(row, Arrows().end())
        << source.path << ": a folder without a row in the table of arrows";
    const auto exception = Exceptions().find(source.path);
    for (const std::string& header : source.own) {
      if (!IsOurs(header) || FolderOf(header) == folder) continue;
      const bool allowed =
          Allowed(row->second, header) ||
          (exception != Exceptions().end() && Allowed(exception->second, header));
      EXPECT_TRUE(allowed) << source.path << " may not include " << header;
    }
  }
}

TEST(Layers, OnlyFilesThatAreThereMayReachFurther) {
  for (const auto& [path, reach] : Exceptions())
    EXPECT_TRUE(fs::exists(kRoot / path)) << path;
}

TEST(Layers, MainsOfTheBrokerAndTheAgentsDoNotMeet) {
  for (const Source& source : Sources({"broker"}))
    for (const std::string& header : source.own) {
      EXPECT_NE(header.rfind("agents/", 0), 0u) << source.path << ": " << header;
      EXPECT_NE(header.rfind("proto/content/", 0), 0u) << source.path << ": " << header;
    }
  for (const Source& source : Sources({"agents"}))
    for (const std::string& header : source.own)
      EXPECT_NE(header.rfind("broker/", 0), 0u) << source.path << ": " << header;
}

TEST(Layers, FencedHeadersStayBehindTheirFence) {
  for (const Source& source : Sources({"base", "crypto", "proto", "broker", "agents"}))
    for (const std::string& header : source.system)
      for (const Fence& fence : kFences) {
        if (!std::regex_match(header, std::regex(fence.header))) continue;
        if (IsMain(source.path)) continue;
        EXPECT_TRUE(std::regex_match(source.path, std::regex(fence.files)))
            << source.path << " may not include <" << header << ">";
      }
}

TEST(Base, HasNoHeaderThatItsReadmeDoesNotName) {
  std::ifstream file(kRoot / "base/README.md");
  const std::string readme((std::istreambuf_iterator<char>(file)), {});
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "base")) {
    if (entry.path().extension() != ".h") continue;
    const std::string name = fs::relative(entry.path(), kRoot / "base").generic_string();
    EXPECT_NE(readme.find("`" + name + "`"), std::string::npos) << name;
  }
}

}  // namespace

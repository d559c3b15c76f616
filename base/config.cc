#include "base/config.h"

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "toml++/toml.h"

namespace amparo {

struct Config::State {
  toml::table root;
  std::string name;
  std::set<std::string> asked;
  absl::Status first_error;

  toml::node_view<toml::node> At(absl::string_view path) {
    asked.insert(std::string(path));
    return root.at_path(std::string_view(path.data(), path.size()));
  }
  absl::Status Wrong(absl::string_view path, absl::string_view expected) const {
    return MakeError(absl::StatusCode::kInvalidArgument,
                     absl::StrCat(name, ": ", path, " is not right"),
                     {.code = "config",
                      .field = std::string(path),
                      .expected = std::string(expected)});
  }
  void Remember(absl::string_view path, absl::string_view expected) {
    if (first_error.ok()) first_error = Wrong(path, expected);
  }
  bool AskedBelow(const std::string& path) const {
    const auto next = asked.lower_bound(path + ".");
    return next != asked.end() && absl::StartsWith(*next, path + ".");
  }
  // The first dotted path below `table` that nobody asked for.
  std::string Unasked(const toml::table& table, const std::string& prefix) const {
    for (const auto& [key, node] : table) {
      const absl::string_view label(key.str().data(), key.str().size());
      const std::string path =
          absl::StrCat(prefix, prefix.empty() ? "" : ".", label);
      // "a.b" in quotes is one key, and not the key b of the table a.
      if (absl::StrContains(label, '.')) return path;
      if (asked.contains(path)) continue;
      if (!node.is_table()) return path;
      if (std::string found = Unasked(*node.as_table(), path); !found.empty())
        return found;
      // A known table may be empty: whoever comments its keys out leaves it so.
      if (node.as_table()->empty() && !AskedBelow(path)) return path;
    }
    return "";
  }
};

Config::Config(std::unique_ptr<State> state) : state_(std::move(state)) {}
Config::Config(Config&&) noexcept = default;
Config& Config::operator=(Config&&) noexcept = default;
Config::~Config() = default;

absl::StatusOr<Config> Config::Parse(absl::string_view text,
                                     const std::string& name) {
  auto state = std::make_unique<State>();
  state->name = name;
  try {
    state->root = toml::parse(std::string_view(text.data(), text.size()),
                              std::string_view(name));
  } catch (const toml::parse_error& error) {
    const auto& where = error.source().begin;
    return MakeError(absl::StatusCode::kInvalidArgument,
                     absl::StrCat(name, ": line ", where.line, ", column ",
                                  where.column, " is not TOML"),
                     {.code = "config", .expected = "TOML 1.0"});
  }
  return Config(std::move(state));
}

std::string Config::String(absl::string_view path, absl::string_view fallback) {
  const auto node = state_->At(path);
  if (!node) return std::string(fallback);
  if (const auto* value = node.as_string()) return value->get();
  state_->Remember(path, "a string");
  return std::string(fallback);
}

int64_t Config::Int(absl::string_view path, int64_t fallback, int64_t min,
                    int64_t max) {
  const auto node = state_->At(path);
  if (!node) return fallback;
  const auto* value = node.as_integer();
  if (value != nullptr && value->get() >= min && value->get() <= max)
    return value->get();
  state_->Remember(path, absl::StrCat("a whole number from ", min, " to ", max));
  return fallback;
}

bool Config::Bool(absl::string_view path, bool fallback) {
  const auto node = state_->At(path);
  if (!node) return fallback;
  if (const auto* value = node.as_boolean()) return value->get();
  state_->Remember(path, "true or false");
  return fallback;
}

std::vector<std::string> Config::Strings(absl::string_view path) {
  std::vector<std::string> values;
  const auto node = state_->At(path);
  if (!node) return values;
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    state_->Remember(path, "a list of strings");
    return values;
  }
  for (const toml::node& item : *array) {
    if (const auto* value = item.as_string())
      values.push_back(value->get());
    else
      state_->Remember(path, "a list of strings");
  }
  return values;
}

absl::Status Config::Finish() const {
  RETURN_IF_ERROR(state_->first_error);
  if (const std::string path = state_->Unasked(state_->root, ""); !path.empty())
    return state_->Wrong(path, "a key of the documented file; this one is unknown");
  return absl::OkStatus();
}

}  // namespace amparo

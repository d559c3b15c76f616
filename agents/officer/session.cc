#include "agents/officer/session.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/files.h"

namespace amparo::officer {
namespace {

constexpr size_t kFormBytesMax = 1024 * 1024;

TextStyle StyleOf(const Command& command, const Surroundings& around) {
  const bool terminal = around.out_is_terminal && !command.plain;
  const bool dumb = around.environment("TERM").value_or("dumb") == "dumb" ||
                    !around.environment("NO_COLOR").value_or("").empty();
  return {.tables = terminal,
          .colour = terminal && !dumb && !command.no_color,
          .zone = around.zone};
}

absl::Status TooLarge(const std::string& flag, size_t bytes_max) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("the file of --", flag, " is larger than ",
                                bytes_max / 1024, " KiB"),
                   {.code = "too_large",
                    .field = absl::StrCat("--", flag),
                    .hint = "make it smaller and try again; nothing was sent"});
}

absl::StatusOr<std::string> ReadAll(std::istream& in, const std::string& flag,
                                    size_t bytes_max) {
  std::string bytes(bytes_max + 1, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(in.gcount()));
  if (bytes.size() > bytes_max) return TooLarge(flag, bytes_max);
  return bytes;
}

}  // namespace

Session::Session(const Command& command, const Surroundings& around,
                 AgentClient& client)
    : command_(command),
      around_(around),
      client_(client),
      style_(StyleOf(command, around)) {}

absl::StatusOr<std::string> Session::ReadInput(const std::string& flag,
                                               size_t bytes_max) {
  const std::string path = command_.Value(flag);
  if (path == "-") return ReadAll(around_.in, flag, bytes_max);
  auto bytes = ReadFile(path, bytes_max);
  if (bytes.ok()) return bytes;
  if (bytes.status().code() == absl::StatusCode::kResourceExhausted)
    return TooLarge(flag, bytes_max);
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("the file of --", flag, " cannot be read"),
                   {.code = "invalid_form",
                    .field = absl::StrCat("--", flag),
                    .expected = "the path of a file that you may read",
                    .hint = "correct the path; nothing was sent"});
}

absl::StatusOr<std::string> Session::ReadForm(const std::string& flag) {
  ASSIGN_OR_RETURN(std::string text, ReadInput(flag, kFormBytesMax));
  try {
    // Not Json: its objects take quadratic time.
    [[maybe_unused]] const auto parsed = nlohmann::json::parse(text);
    return text;
  } catch (const nlohmann::json::parse_error& error) {
    // Only the place: the library's own text quotes the file.
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(
                                        std::min(error.byte, text.size()));
    return MakeError(
        absl::StatusCode::kInvalidArgument,
        absl::StrCat("the file of --", flag, " is not JSON from line ",
                     1 + std::count(text.begin(), end, '\n'), " on"),
        {.code = "invalid_form",
         .field = absl::StrCat("--", flag),
         .expected = "JSON: look there, and just before, for a missing comma, "
                     "quote or bracket",
         .hint = "correct the file and try again; nothing was sent"});
  }
}

absl::Status Session::Say(const std::string& text) {
  around_.out << text << std::flush;
  if (around_.out.good()) return absl::OkStatus();
  return MakeError(absl::StatusCode::kUnavailable,
                   "the answer cannot be written", {.code = "storage"});
}

}  // namespace amparo::officer

#pragma once

#include <functional>
#include <istream>
#include <ostream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "agents/officer/agent_client.h"
#include "agents/officer/command.h"
#include "agents/officer/render_json.h"
#include "agents/officer/render_text.h"
#include "agents/officer/text.h"
#include "base/clock.h"

namespace amparo::officer {

// The world around one run of the program. Everything must outlive it.
struct Surroundings {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Environment environment;
  bool out_is_terminal = false;
  absl::TimeZone zone = absl::UTCTimeZone();
  const Clock& clock;
};

// What a command says: the whole of stdout, and the exit status.
struct Answer {
  std::string output;
  int exit = 0;
};

// One command and what it works with. One thread.
class Session {
 public:
  // All must outlive it.
  Session(const Command& command, const Surroundings& around,
          AgentClient& client);

  const Command& command() const { return command_; }
  const Surroundings& around() const { return around_; }
  AgentClient& client() { return client_; }
  const TextStyle& style() const { return style_; }

  // `message` as it was asked for: JSON, or text for people.
  template <typename Message>
  absl::StatusOr<Answer> Present(const Message& message, int exit = 0) const {
    if (!command_.json) {
      ASSIGN_OR_RETURN(std::string text, ToText(message, style_));
      return Answer{std::move(text), exit};
    }
    ASSIGN_OR_RETURN(const Json json, ToJson(message));
    return Answer{DumpJson(json) + "\n", exit};
  }

  // Calls and presents.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Answer> Ask(grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                          const Request&,
                                                          Response*),
                             const Request& request) {
    ASSIGN_OR_RETURN(const Response response, client_.Call(method, request));
    return Present(response);
  }

  // The bytes of the file that `flag` names; "-" is standard input. They are
  // not looked at. Code "invalid_form" or "too_large" when they cannot be had.
  absl::StatusOr<std::string> ReadInput(const std::string& flag,
                                        size_t bytes_max);
  // A form: at most 1 MiB of JSON. Says where it is malformed; the rest is the
  // agent's to judge.
  absl::StatusOr<std::string> ReadForm(const std::string& flag);

  // Says `text` now: for what goes on for long. INTERNAL when nobody listens.
  absl::Status Say(const std::string& text);

 private:
  const Command& command_;
  const Surroundings& around_;
  AgentClient& client_;
  TextStyle style_;
};

}  // namespace amparo::officer

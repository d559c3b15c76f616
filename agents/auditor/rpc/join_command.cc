#include <iostream>

#include "absl/strings/str_cat.h"
#include "agents/auditor/profile.h"
#include "agents/auditor/rpc/commands.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/grpc/credentials.h"

namespace amparo::auditor {

absl::StatusOr<int> RunJoin(const Arguments& arguments) {
  RETURN_IF_ERROR(AllowOnlyTls13());
  JoinOptions options = arguments.join;
  options.folder = ProfileFolder(arguments.profile);
  if (options.invitation == "-") std::getline(std::cin, options.invitation);
  options.confirm_words = [](absl::string_view words) {
    std::cerr << "The network's words are:\n\n    " << words
              << "\n\nDo the same words stand in the paper protocol? [yes/no] "
              << std::flush;
    std::string answer;
    return std::getline(std::cin, answer) && answer == "yes";
  };
  ASSIGN_OR_RETURN(const Joined joined, Join(options, SystemClock()));
  if (arguments.json)
    std::cout << DumpJson({{"schema", "join/1"},
                           {"member", joined.member},
                           {"network", joined.network},
                           {"network_words", joined.network_words},
                           {"request_words", joined.request_words}})
              << "\n";
  else
    std::cout << joined.member << " has joined " << joined.network
              << " and waits for the committee.\n\n"
              << "Read these words to the committee by phone:\n\n    "
              << joined.request_words << "\n";
  return 0;
}

absl::StatusOr<int> RunReconnect(const Arguments& arguments) {
  RETURN_IF_ERROR(AllowOnlyTls13());
  std::string invitation = arguments.join.invitation;
  if (invitation == "-") std::getline(std::cin, invitation);
  RETURN_IF_ERROR(
      Reconnect(ProfileFolder(arguments.profile), invitation, SystemClock()));
  std::cout << (arguments.json ? DumpJson({{"schema", "reconnect/1"}})
                               : "This profile has a new certificate.")
            << "\n";
  return 0;
}

}  // namespace amparo::auditor

#include "agents/auditor/witness/verbs.h"

#include <csignal>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "agents/auditor/log_key.h"
#include "agents/auditor/witness/witness.h"
#include "agents/auditor/witness/witness_folder.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/files.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/status.h"
#include "crypto/add_checkpoint.h"
#include "proto/http/http_port.h"
#include "proto/network/host_port.h"
#include "proto/network/words.h"

namespace amparo::auditor {
namespace {

void Print(const WitnessOptions& options, const Json& json,
           const std::string& text) {
  std::cout << (options.json ? DumpJson(json) + "\n" : Printable(text));
}

// The signals that end it, blocked in every thread that starts afterwards.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  void Wait() {
    int signal = 0;
    sigwait(&set_, &signal);
  }

 private:
  sigset_t set_;
};

}  // namespace

absl::StatusOr<int> RunWitnessInit(const WitnessOptions& options) {
  const WitnessFolder folder(options.folder);
  ASSIGN_OR_RETURN(const NoteVerifier verifier, folder.Create(options.name));
  const std::string words = GovernanceKeyWords(verifier.key());
  Print(options,
        {{"schema", "witness_init/1"},
         {"name", verifier.name()},
         {"vkey", verifier.ToString()},
         {"words", words}},
        absl::StrCat(verifier.ToString(),
                     "\n\nFor the committee: amparo-charter set witness.keys "
                     "--add KEY. Read it these words by phone; amparo-charter "
                     "shows the same:\n\n    ",
                     words, "\n\nNext: amparo-audit witness add-log\n"));
  return 0;
}

absl::StatusOr<int> RunWitnessAddLog(const WitnessOptions& options) {
  const WitnessFolder folder(options.folder);
  ASSIGN_OR_RETURN(const NoteVerifier key, ReadLogKey(options.key));
  ASSIGN_OR_RETURN(const WitnessFolder::Lock lock, folder.TakeLock());
  RETURN_IF_ERROR(folder.AddLog(key));
  Print(options,
        {{"schema", "witness_add_log/1"},
         {"origin", key.name()},
         {"vkey", key.ToString()}},
        absl::StrCat("This witness knows ", key.name(), " by ", key.ToString(),
                     "\n"));
  return 0;
}

absl::StatusOr<int> RunWitnessShow(const WitnessOptions& options) {
  const WitnessFolder folder(options.folder);
  ASSIGN_OR_RETURN(const NoteVerifier verifier, folder.ReadVerifier());
  ASSIGN_OR_RETURN(const WitnessMemory memory, folder.ReadMemory());
  const std::vector<std::string> evidence = folder.Evidence();
  Json logs = Json::array();
  std::string text = absl::StrCat(verifier.ToString(), "\n");
  for (const auto& [origin, log] : memory) {
    Json keys = Json::array();
    for (const NoteVerifier& key : log.keys) keys.push_back(key.ToString());
    logs.push_back({{"origin", origin},
                    {"keys", keys},
                    {"size", log.checkpoint.size.value()},
                    {"root_hash", log.checkpoint.root.ToString()}});
    absl::StrAppend(&text, origin, ": ", log.checkpoint.size.value(),
                    " entries cosigned, root ", log.checkpoint.root.ToString(),
                    "\n");
  }
  for (const std::string& path : evidence)
    absl::StrAppend(&text, "EVIDENCE against a log: amparo-audit compare ",
                    path, " --log-key KEY\n");
  Print(options,
        {{"schema", "witness_show/1"},
         {"vkey", verifier.ToString()},
         {"logs", logs},
         {"evidence", evidence}},
        text);
  return 0;
}

absl::StatusOr<int> RunWitness(const WitnessOptions& options) {
  if (!ParseHostPort(options.listen).ok())
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "not an address to listen on",
                     {.code = "usage",
                      .field = "--listen",
                      .expected = "HOST:PORT, such as 127.0.0.1:7450"});
  const WitnessFolder folder(options.folder);
  ASSIGN_OR_RETURN(const WitnessFolder::Lock lock, folder.TakeLock());
  ASSIGN_OR_RETURN(Witness witness, Witness::Open(folder, SystemClock()));
  EndSignals signals;
  HttpPort::Limits limits;
  limits.body_bytes_max = kAddCheckpointBytesMax;
  ASSIGN_OR_RETURN(
      const std::unique_ptr<HttpPort> port,
      HttpPort::Open(
          options.listen, "--listen", limits,
          [](absl::string_view) { return HttpAnswer(); },
          [&witness](absl::string_view path, absl::string_view body) {
            return witness.Answer(path, body);
          }));
  RETURN_IF_ERROR(WriteFile(absl::StrCat(options.folder, "/witness.addr"),
                            port->address() + "\n", FileMode::kPublic));
  LogEvent("witness_ready", {{"logs", witness.memory().size()}});
  signals.Wait();
  LogEvent("witness_stopped");
  return 0;
}

}  // namespace amparo::auditor

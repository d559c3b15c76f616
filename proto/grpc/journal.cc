#include "proto/grpc/journal.h"

#include <grpc/support/log.h>

#include <cstdlib>

#include "absl/strings/string_view.h"
#include "base/event_log.h"

namespace amparo {
namespace {

void Write(gpr_log_func_args* line) {
  if (line->severity != GPR_LOG_SEVERITY_ERROR) return;
  absl::string_view file(line->file);
  file.remove_prefix(file.find_last_of('/') + 1);  // npos + 1 is 0
  // A suffix of a literal: it ends where the literal ends.
  LogEvent(EventLevel::kWarning, "grpc",
           {{"source", file.data()}, {"line", line->line}});
}

}  // namespace

void SendGrpcLinesToJournal() { gpr_set_log_function(Write); }

void SilenceGrpc() {
  if (std::getenv("GRPC_VERBOSITY") == nullptr)
    gpr_set_log_function([](gpr_log_func_args*) {});
}

}  // namespace amparo

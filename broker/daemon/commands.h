#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/json.h"
#include "broker/daemon/data_dir.h"
#include "broker/daemon/founding.h"
#include "broker/rpc/admin_socket.h"
#include "broker/store/store.h"

// What the verbs of amparo-broker do. invite, export, backup and check ask the
// running broker through its socket, and open the store themselves where none
// runs.

namespace amparo::broker {

// A verb's result: an object for --json, text for people.
struct Answer {
  Json json;
  std::string text;
};

absl::StatusOr<Answer> Init(const DataDir& data, const Founding& founding,
                            const Clock& clock);
absl::StatusOr<Answer> CheckConfig(const DataDir& data);
// `new_identity`: the member may come with other keys than the charter's.
absl::StatusOr<Answer> Invite(const DataDir& data, const std::string& member,
                              const Clock& clock, bool new_identity = false);
// The answer of Invite, with the invitation as a QR code: in its text for a
// terminal, and as a picture (SVG) in `file`, which only its owner can read,
// unless that is empty.
absl::StatusOr<Answer> ShowAsQrCode(Answer invited, bool on_terminal,
                                    const std::string& file);
absl::StatusOr<Answer> Export(const DataDir& data, const std::string& out);
// A backup in the new directory `out`, keys included.
absl::StatusOr<Answer> Backup(const DataDir& data, const std::string& out,
                              const Clock& clock);
// Looks at all that the store holds. DATA_LOSS names the first entry that is
// wrong.
absl::StatusOr<Answer> Check(const DataDir& data);
// The running broker of `data`; null where none runs.
absl::StatusOr<std::unique_ptr<AdminClient>> FindRunning(const DataDir& data);
// The store of one that is stopped: UNAVAILABLE when another has it open.
absl::StatusOr<std::unique_ptr<Store>> OpenStopped(const DataDir& data);

// Whether a broker serves here, within `patience`; UNAVAILABLE if not.
absl::StatusOr<Answer> Status(const DataDir& data, absl::Duration patience);

// Serves until SIGTERM or SIGINT. SIGHUP reads broker.toml again: the journal's
// level takes effect, the rest at the next start. Call on the only thread.
absl::Status Run(const DataDir& data, const Clock& clock);

}  // namespace amparo::broker

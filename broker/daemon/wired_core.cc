#include "broker/daemon/wired_core.h"

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "broker/core/start_guard.h"
#include "broker/store/rocks_store.h"

namespace amparo::broker {
namespace {

constexpr size_t kLastNoteBytesMax = 64 << 10;

}  // namespace

absl::Status CheckNoBackup(const DataDir& data) {
  if (!FileExists(data.backup_mark())) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      "this is a backup, and the log may have gone on since it was made",
      {.code = "invalid_state",
       .field = "--data",
       .hint = "amparo-broker rebuild --data DIR --from MIRROR, with the "
               "mirrors of as many members as there are"});
}

absl::StatusOr<std::vector<std::string>> KnownCheckpoints(const DataDir& data) {
  auto note = ReadFile(data.last_checkpoint(), kLastNoteBytesMax);
  if (absl::IsNotFound(note.status())) return std::vector<std::string>();
  RETURN_IF_ERROR(note.status());
  return std::vector<std::string>{*std::move(note)};
}

absl::StatusOr<OpenedData> OpenData(const DataDir& data,
                                    const BrokerConfig& config) {
  RETURN_IF_ERROR(data.CheckOwnerOnly());
  RETURN_IF_ERROR(CheckNoBackup(data));
  ASSIGN_OR_RETURN(NetworkFile network, data.ReadNetworkFile());
  ASSIGN_OR_RETURN(DataDir::LogKeys log_keys, data.ReadLogKeys(network));
  ASSIGN_OR_RETURN(DataDir::Cas cas, data.ReadCas(network));
  if (network.network != config.network)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "broker.toml and network.json do not fit",
                     {.code = "config",
                      .field = "network",
                      .hint = "restore the files that init wrote"});
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store, OpenRocksStore(data.store()));
  RETURN_IF_ERROR(CheckNoBackup(data));  // a rebuild may have begun meanwhile
  ASSIGN_OR_RETURN(const std::vector<std::string> known,
                   KnownCheckpoints(data));
  RETURN_IF_ERROR(CheckStart(*store, network.log_key, known));
  ASSIGN_OR_RETURN(std::unique_ptr<Directory> directory,
                   Directory::Load(*store));
  return OpenedData{std::move(network), std::move(log_keys), std::move(cas),
                    std::move(store), std::move(directory)};
}

WiredCore::WiredCore(OpenedData opened, const BrokerConfig& config,
                     const Clock& clock)
    : data(std::move(opened)),
      feed(config.member_streams_max),
      watchers(config.member_streams_max),
      receipts(data.log_keys.key),
      witnesses(*data.store, *data.directory, watchers, clock),
      checkpointer(*data.store, config.network, data.log_keys.key, witnesses,
                   watchers, clock),
      ledger(*data.store, *data.directory, feed, receipts, clock),
      admission({.envelope_bytes_max = config.envelope_bytes_max,
                 .mailbox_envelopes_max = config.mailbox_messages_max,
                 .member_rate_per_s = config.member_rate_per_s},
                witnesses, clock),
      relay(*data.store, *data.directory, admission, ledger, receipts, clock),
      notary(*data.store, admission, ledger, clock),
      charters(*data.store, *data.directory, ledger, data.network.log_key,
               clock),
      enrolment(*data.store, *data.directory, clock),
      log(*data.store, *data.directory, clock),
      retention(
          *data.store, ledger,
          {.message = config.message_life, .opening = config.opening_life},
          clock) {
  if (data.log_keys.second.has_value())
    checkpointer.SignAlsoWith(*data.log_keys.second);
}

}  // namespace amparo::broker

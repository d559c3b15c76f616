#include "broker/daemon/backup.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/json.h"
#include "base/new_directory.h"
#include "base/status.h"
#include "broker/store/rocks_store.h"

namespace amparo::broker {
namespace {

absl::Status CopySecret(const std::string& from, const std::string& to) {
  ASSIGN_OR_RETURN(const SecretBuffer content, ReadSecretFile(from));
  return CreateFile(to, AsText(content.Expose()), FileMode::kPrivate);
}

absl::Status CopyPublic(const std::string& from, const std::string& to) {
  constexpr size_t kCertificateBytesMax = 64 << 10;
  ASSIGN_OR_RETURN(const std::string content,
                   ReadFile(from, kCertificateBytesMax));
  return CreateFile(to, content, FileMode::kPublic);
}

absl::Status CopyFiles(const DataDir& data, const DataDir& copy) {
  RETURN_IF_ERROR(CopySecret(data.config(), copy.config()));
  RETURN_IF_ERROR(CopySecret(data.network_file(), copy.network_file()));
  // One of the two keys may not be there.
  // Nor listen.json, by which ports left to the kernel stay.
  for (const auto& [from, to] :
       {std::pair(data.log_key(), copy.log_key()),
        std::pair(data.second_log_key(), copy.second_log_key()),
        std::pair(data.listen_file(), copy.listen_file())})
    if (FileExists(from)) RETURN_IF_ERROR(CopySecret(from, to));
  for (const auto& [from, to] :
       {std::pair(data.ca(), copy.ca()),
        std::pair(data.second_ca(), copy.second_ca())}) {
    if (!FileExists(from.key)) continue;
    RETURN_IF_ERROR(CopySecret(from.key, to.key));
    RETURN_IF_ERROR(CopyPublic(from.certificate, to.certificate));
  }
  RETURN_IF_ERROR(CopySecret(data.server_key(), copy.server_key()));
  return CopyPublic(data.server_certificate(), copy.server_certificate());
}

}  // namespace

absl::StatusOr<LogHead> WriteBackup(const DataDir& data, Store& store,
                                    const std::string& directory,
                                    absl::Time now) {
  ASSIGN_OR_RETURN(const NetworkFile network, data.ReadNetworkFile());
  NewDirectory out(directory);
  RETURN_IF_ERROR(out.Make());
  const DataDir copy(out.path());
  // First: whatever is left of it after a power failure does not run either.
  Json mark;
  mark["schema"] = "broker_backup/1";
  mark["network"] = network.network;
  mark["at"] = FormatUtc(now);
  RETURN_IF_ERROR(
      WriteFile(copy.backup_mark(), DumpJson(mark) + "\n", FileMode::kPrivate));
  RETURN_IF_ERROR(CopyFiles(data, copy));
  RETURN_IF_ERROR(store.CopyTo(copy.store()));
  LogHead head;
  {
    // What was copied is known when it opens.
    ASSIGN_OR_RETURN(const auto copied, OpenRocksStore(copy.store()));
    head = copied->Head();
  }
  mark["size"] = head.range.size().value();
  mark["root_hash"] = head.range.Root().ToString();
  RETURN_IF_ERROR(
      WriteFile(copy.backup_mark(), DumpJson(mark) + "\n", FileMode::kPrivate));
  RETURN_IF_ERROR(out.Finish());
  return head;
}

}  // namespace amparo::broker

#include "broker/daemon/commands.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "broker/core/directory.h"
#include "broker/core/enrolment.h"
#include "broker/core/whole_check.h"
#include "broker/daemon/backup.h"
#include "broker/daemon/export.h"
#include "broker/daemon/inviting.h"
#include "broker/daemon/listen_file.h"
#include "broker/daemon/qr_code.h"
#include "broker/daemon/wired_core.h"
#include "broker/rpc/admin_socket.h"
#include "broker/store/rocks_store.h"

namespace amparo::broker {
namespace {

constexpr absl::Duration kSocketPatience = absl::Seconds(5);

Answer InviteAnswer(const std::string& member, const std::string& invitation,
                    absl::Time until) {
  Json json;
  json["schema"] = "broker_invite/1";
  json["member"] = member;
  json["invitation"] = invitation;
  json["until"] = FormatUtc(until);
  return {std::move(json), invitation + "\n"};
}

// The running broker has another working directory.
absl::StatusOr<std::string> NewDirectoryAt(const std::string& out) {
  std::error_code error;
  std::filesystem::path path =
      std::filesystem::absolute(out, error).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (error || path.empty())
    return absl::InvalidArgumentError("--out is no path");
  return path.string();
}

Answer BackupAnswer(const std::string& out, uint64_t size, const Digest& root) {
  Json json;
  json["schema"] = "broker_backup/1";
  json["directory"] = out;
  json["size"] = size;
  json["root_hash"] = root.ToString();
  return {std::move(json),
          absl::StrCat("wrote ", out, ": ", size, " entries\nroot ",
                       root.ToString(),
                       "\nWhoever has it can sign in the log's name and reads "
                       "who wrote to whom: keep it\nencrypted. Put back, it is "
                       "rebuilt from members' mirrors before it runs.\n")};
}

Answer CheckAnswer(uint64_t size, const Digest& root, uint64_t openings,
                   uint64_t envelopes, uint64_t publications) {
  Json json;
  json["schema"] = "broker_check/1";
  json["ok"] = true;
  json["size"] = size;
  json["root_hash"] = root.ToString();
  json["openings"] = openings;
  json["envelopes"] = envelopes;
  json["publications"] = publications;
  return {std::move(json),
          absl::StrCat("ok: ", size, " entries, ", openings, " openings, ",
                       envelopes, " envelopes, ", publications,
                       " publications\nroot ", root.ToString(), "\n")};
}

Answer ExportAnswer(const std::string& out, uint64_t size, const Digest& root) {
  Json json;
  json["schema"] = "broker_export/1";
  json["directory"] = out;
  json["size"] = size;
  json["root_hash"] = root.ToString();
  return {std::move(json), absl::StrCat("wrote ", size, " entries to ", out,
                                        "\nroot ", root.ToString(), "\n")};
}

}  // namespace

absl::StatusOr<std::unique_ptr<AdminClient>> FindRunning(const DataDir& data) {
  RETURN_IF_ERROR(
      data.ReadConfig().status());  // says so when it is no broker's
  ASSIGN_OR_RETURN(AdminSocket socket, AdminSocket::At(data.socket()));
  auto client = std::make_unique<AdminClient>(std::move(socket));
  if (!client->Answers(kSocketPatience)) client.reset();
  return client;
}

absl::StatusOr<std::unique_ptr<Store>> OpenStopped(const DataDir& data) {
  auto store = OpenRocksStore(data.store());
  if (!absl::IsUnavailable(store.status())) return store;
  return MakeError(absl::StatusCode::kUnavailable,
                   "a broker has this directory open but does not answer",
                   {.code = "broker_unreachable",
                    .field = "--data",
                    .hint = "wait until it has started or stopped"});
}

absl::StatusOr<Answer> Init(const DataDir& data, const Founding& founding,
                            const Clock& clock) {
  ASSIGN_OR_RETURN(const NetworkFile network, Found(data, founding, clock));
  const std::string token = ToBase64Url(*network.founding_token);
  Json json;
  json["schema"] = "broker_init/1";
  json["network"] = network.network;
  json["data"] = data.path();
  json["network_file"] = data.network_file();
  json["log_key"] = network.log_key.ToString();
  json["founding_token"] = token;
  return Answer{
      std::move(json),
      absl::StrCat(
          "network ", network.network, " founded in ", data.path(), "\n",
          "log key         ", network.log_key.ToString(), "\n",
          "founding token  ", token, "\n",
          "                (shown once; it is in network.json, too: whoever "
          "has it\n                can publish the first charter)\n\n",
          "next: set the public addresses in ", data.config(), ",\n",
          "      amparo-broker run --data ", data.path(), ",\n",
          "      amparo-charter init --network ", data.network_file(), "\n")};
}

absl::StatusOr<Answer> CheckConfig(const DataDir& data) {
  ASSIGN_OR_RETURN(const BrokerConfig config, data.ReadConfig());
  const std::string described = DescribeBrokerConfig(config);
  ASSIGN_OR_RETURN(Json json, ParseJson(described));
  return Answer{std::move(json), described + "\n"};
}

absl::StatusOr<Answer> Invite(const DataDir& data, const std::string& member,
                              const Clock& clock, bool new_identity) {
  ASSIGN_OR_RETURN(const std::unique_ptr<AdminClient> running,
                   FindRunning(data));
  if (running != nullptr) {
    ASSIGN_OR_RETURN(const v1::InviteResponse response,
                     running->Invite(member, new_identity));
    return InviteAnswer(member, response.invitation(),
                        TimeFromUnix(static_cast<int64_t>(response.until_s())));
  }
  RETURN_IF_ERROR(CheckNoBackup(data));  // a rebuild voids invitations
  ASSIGN_OR_RETURN(const BrokerConfig config, data.ReadConfig());
  ASSIGN_OR_RETURN(const NetworkFile network, data.ReadNetworkFile());
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStopped(data));
  ASSIGN_OR_RETURN(const std::unique_ptr<Directory> directory,
                   Directory::Load(*store));
  Enrolment enrolment(*store, *directory, clock);
  ASSIGN_OR_RETURN(const Invitation invitation,
                   MakeInvitation(enrolment, network, member,
                                  config.invitation_life, new_identity));
  return InviteAnswer(member, FormatInvitation(invitation), invitation.until);
}

absl::StatusOr<Answer> ShowAsQrCode(Answer invited, bool on_terminal,
                                    const std::string& file) {
  ASSIGN_OR_RETURN(const QrCode code,
                   QrCode::Of(invited.json["invitation"].get<std::string>()));
  if (on_terminal) invited.text += code.ForTerminal();
  if (!file.empty())
    RETURN_IF_ERROR(WriteFile(file, code.Svg(), FileMode::kPrivate));
  return invited;
}

absl::StatusOr<Answer> Export(const DataDir& data, const std::string& out) {
  ASSIGN_OR_RETURN(const std::string directory, NewDirectoryAt(out));
  ASSIGN_OR_RETURN(const std::unique_ptr<AdminClient> running,
                   FindRunning(data));
  if (running != nullptr) {
    ASSIGN_OR_RETURN(const v1::ExportResponse response,
                     running->Export(directory));
    ASSIGN_OR_RETURN(const Digest root,
                     Digest::FromBytes(AsBytes(response.root())));
    return ExportAnswer(directory, response.size(), root);
  }
  ASSIGN_OR_RETURN(const NetworkFile network, data.ReadNetworkFile());
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStopped(data));
  ASSIGN_OR_RETURN(const Checkpoint checkpoint,
                   ExportLog(*store, network, directory));
  return ExportAnswer(directory, checkpoint.size.value(), checkpoint.root);
}

absl::StatusOr<Answer> Backup(const DataDir& data, const std::string& out,
                              const Clock& clock) {
  ASSIGN_OR_RETURN(const std::string directory, NewDirectoryAt(out));
  ASSIGN_OR_RETURN(const std::unique_ptr<AdminClient> running,
                   FindRunning(data));
  if (running != nullptr) {
    ASSIGN_OR_RETURN(const v1::BackupResponse response,
                     running->Backup(directory));
    ASSIGN_OR_RETURN(const Digest root,
                     Digest::FromBytes(AsBytes(response.root())));
    return BackupAnswer(directory, response.size(), root);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStopped(data));
  ASSIGN_OR_RETURN(const LogHead head,
                   WriteBackup(data, *store, directory, clock.Now()));
  return BackupAnswer(directory, head.range.size().value(), head.range.Root());
}

absl::StatusOr<Answer> Check(const DataDir& data) {
  ASSIGN_OR_RETURN(const std::unique_ptr<AdminClient> running,
                   FindRunning(data));
  if (running != nullptr) {
    ASSIGN_OR_RETURN(const v1::CheckResponse response, running->Check());
    ASSIGN_OR_RETURN(const Digest root,
                     Digest::FromBytes(AsBytes(response.root())));
    return CheckAnswer(response.size(), root, response.openings(),
                       response.envelopes(), response.publications());
  }
  ASSIGN_OR_RETURN(const NetworkFile network, data.ReadNetworkFile());
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenStopped(data));
  ASSIGN_OR_RETURN(const auto known, KnownCheckpoints(data));
  ASSIGN_OR_RETURN(const WholeCheck seen,
                   CheckWhole(*store, network.log_key, known));
  return CheckAnswer(seen.size.value(), seen.root, seen.openings,
                     seen.envelopes, seen.publications);
}

absl::StatusOr<Answer> Status(const DataDir& data, absl::Duration patience) {
  RETURN_IF_ERROR(data.ReadConfig().status());
  ASSIGN_OR_RETURN(AdminSocket socket, AdminSocket::At(data.socket()));
  RETURN_IF_ERROR(AdminClient(std::move(socket)).CheckServing(patience));
  ASSIGN_OR_RETURN(const std::string text, ReadFile(data.listen_file(), 65536));
  ASSIGN_OR_RETURN(const ListenFile where, ParseListenFile(text));
  Json json;
  json["schema"] = "broker_status/1";
  json["serving"] = true;
  json["pid"] = where.pid;
  json["members"] = where.announced.members;
  json["enrol"] = where.announced.enrol;
  json["metrics"] = where.metrics.empty() ? Json(nullptr) : Json(where.metrics);
  json["log_http"] =
      where.log_http.empty() ? Json(nullptr) : Json(where.log_http);
  return Answer{std::move(json),
                absl::StrCat("serving, process ", where.pid, "\nmembers  ",
                             where.announced.members, "\nenrol    ",
                             where.announced.enrol, "\n")};
}

}  // namespace amparo::broker

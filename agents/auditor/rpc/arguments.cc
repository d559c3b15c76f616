#include "agents/auditor/rpc/arguments.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/auditor/folder_source.h"
#include "agents/auditor/profile.h"
#include "agents/auditor/rpc/remote_source.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/grpc/credentials.h"

namespace amparo::auditor {

absl::Status Usage(absl::string_view message, const char* field) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.code = "usage",
                    .field = field,
                    .hint = absl::StrCat(kProgram, " --help")});
}

absl::StatusOr<std::optional<Digest>> ReadRoot(const Arguments& arguments) {
  std::optional<Digest> root;
  if (!arguments.root.empty()) {
    const absl::StatusOr<Digest> digest = Digest::Parse(arguments.root);
    if (!digest.ok()) return Usage("not a hash: sha256:HEX", "--root");
    root = *digest;
  } else if (!arguments.profile.empty() || !arguments.broker.empty()) {
    ASSIGN_OR_RETURN(const Profile profile,
                     ReadProfile(ProfileFolder(arguments.profile)));
    root = profile.root;
  }
  return root;
}

absl::StatusOr<std::unique_ptr<LeafSource>> OpenSource(
    const Arguments& arguments) {
  if (!arguments.folder.empty()) {
    ASSIGN_OR_RETURN(FolderSource source, FolderSource::Open(arguments.folder));
    return std::make_unique<FolderSource>(std::move(source));
  }
  if (!arguments.NamesASource())
    return Usage("no log was named", "--broker or --export");
  RETURN_IF_ERROR(AllowOnlyTls13());
  ASSIGN_OR_RETURN(const Profile profile,
                   ReadProfile(ProfileFolder(arguments.profile)));
  ASSIGN_OR_RETURN(RemoteSource source,
                   RemoteSource::Connect(profile, arguments.broker));
  return std::make_unique<RemoteSource>(std::move(source));
}

}  // namespace amparo::auditor

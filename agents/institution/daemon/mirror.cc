#include "agents/institution/daemon/mirror.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/mirror_export.h"
#include "agents/institution/daemon/store_to_read.h"
#include "agents/institution/storage/sealed_kv.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::agent {

absl::StatusOr<std::string> WriteMirror(const DataDir& data,
                                        const MirrorCommand& asked) {
  ASSIGN_OR_RETURN(const AgentConfig config, data.ReadConfig());
  ASSIGN_OR_RETURN(const NetworkFile network, data.ReadNetwork());
  ASSIGN_OR_RETURN(AgentSecrets secrets, data.Unlock(config));
  ASSIGN_OR_RETURN(const auto store,
                   StoreToRead::Open(data, config, asked.officer));
  SealedKv kv(store->kv(), std::move(secrets.vault_key));
  ASSIGN_OR_RETURN(
      const Checkpoint checkpoint,
      ExportMirror(kv, network, asked.directory, !asked.without_openings));
  if (asked.json) {
    Json result;
    result["schema"] = "export_mirror/1";
    result["directory"] = asked.directory;
    result["member"] = config.member.text();
    result["size"] = checkpoint.size.value();
    result["root_hash"] = checkpoint.root.ToString();
    result["openings"] = !asked.without_openings;
    return DumpJson(result) + "\n";
  }
  return absl::StrCat(
      "wrote ", checkpoint.size.value(), " entries to ", asked.directory,
      "\nroot ", checkpoint.root.ToString(), "\n",
      asked.without_openings
          ? ""
          : "It tells with whom this institution wrote, and when: for the "
            "broker's operator alone.\n");
}

}  // namespace amparo::agent

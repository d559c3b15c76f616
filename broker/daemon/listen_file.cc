#include "broker/daemon/listen_file.h"

#include "base/json.h"
#include "base/status.h"

namespace amparo::broker {
namespace {

constexpr char kSchema[] = "broker_listen/1";

Json FormatPorts(const BrokerConfig::Ports& ports) {
  Json json;
  json["members"] = ports.members;
  json["enrol"] = ports.enrol;
  return json;
}

absl::StatusOr<BrokerConfig::Ports> ParsePorts(const Json& object,
                                               const char* key) {
  if (!object.contains(key) || !object[key].is_object())
    return absl::InvalidArgumentError("no listen file");
  BrokerConfig::Ports ports;
  ASSIGN_OR_RETURN(ports.members, JsonString(object[key], "members"));
  ASSIGN_OR_RETURN(ports.enrol, JsonString(object[key], "enrol"));
  return ports;
}

}  // namespace

std::string FormatListenFile(const ListenFile& file) {
  Json json;
  json["schema"] = kSchema;
  json["pid"] = file.pid;
  json["listen"] = FormatPorts(file.listen);
  json["public"] = FormatPorts(file.announced);
  json["metrics"] = file.metrics.empty() ? Json(nullptr) : Json(file.metrics);
  json["log_http"] =
      file.log_http.empty() ? Json(nullptr) : Json(file.log_http);
  return DumpJson(json) + "\n";
}

absl::StatusOr<ListenFile> ParseListenFile(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  ASSIGN_OR_RETURN(const std::string schema, JsonString(json, "schema"));
  if (schema != kSchema) return absl::InvalidArgumentError("no listen file");
  ListenFile file;
  ASSIGN_OR_RETURN(file.pid, JsonInt(json, "pid"));
  ASSIGN_OR_RETURN(file.listen, ParsePorts(json, "listen"));
  ASSIGN_OR_RETURN(file.announced, ParsePorts(json, "public"));
  if (json.contains("metrics") && json["metrics"].is_string())
    file.metrics = json["metrics"].get<std::string>();
  if (json.contains("log_http") && json["log_http"].is_string())
    file.log_http = json["log_http"].get<std::string>();
  return file;
}

}  // namespace amparo::broker

#include "agents/institution/core/key_order.h"

#include "base/json.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr char kRotateName[] = "rotate";
constexpr char kRevokeName[] = "revoke";

absl::StatusOr<KeyOrder> FromJson(const Json& row) {
  KeyOrder order;
  ASSIGN_OR_RETURN(const std::string kind, JsonString(row, "kind"));
  order.kind =
      kind == kRevokeName ? KeyOrder::Kind::kRevoke : KeyOrder::Kind::kRotate;
  ASSIGN_OR_RETURN(order.request_id, JsonString(row, "request_id"));
  ASSIGN_OR_RETURN(const std::string kid, JsonString(row, "kid"));
  ASSIGN_OR_RETURN(order.kid, Digest::Parse(kid));
  if (row.contains("prekey")) {
    ASSIGN_OR_RETURN(const std::string prekey, JsonString(row, "prekey"));
    ASSIGN_OR_RETURN(order.prekey, Digest::Parse(prekey));
  }
  order.replaces = row.value("replaces", false);
  order.done = row.value("done", false);
  return order;
}

}  // namespace

std::string EncodeKeyOrder(const KeyOrder& order) {
  Json row;
  row["kind"] =
      order.kind == KeyOrder::Kind::kRevoke ? kRevokeName : kRotateName;
  row["request_id"] = order.request_id;
  row["kid"] = order.kid.ToString();
  if (order.prekey) row["prekey"] = order.prekey->ToString();
  row["replaces"] = order.replaces;
  row["done"] = order.done;
  return DumpJson(row);
}

absl::StatusOr<KeyOrder> DecodeKeyOrder(absl::string_view row) {
  const auto json = ParseJson(row);
  auto order = json.ok() && json->is_object()
                   ? FromJson(*json)
                   : absl::StatusOr<KeyOrder>(json.status());
  if (!order.ok())
    return absl::DataLossError("the stored key order is damaged");
  return order;
}

}  // namespace amparo::agent

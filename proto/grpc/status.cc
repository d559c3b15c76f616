#include "proto/grpc/status.h"

#include <algorithm>
#include <optional>
#include <string>

#include "amparo/v1/error_info.pb.h"
#include "base/error.h"

namespace amparo {
namespace {

constexpr char kDomain[] = "amparo";
constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr size_t kForeignTextMax = 512;

// Codes with which our own code tells a caller what was wrong with its request.
// Under the others a message may come from RocksDB, OpenSSL or the system.
bool IsAboutTheRequest(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return true;
    default:
      return false;
  }
}

std::string PublicMessage(const absl::Status& status, bool has_detail) {
  if (has_detail || IsAboutTheRequest(status.code()))
    return std::string(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return "not found";
    case absl::StatusCode::kAlreadyExists:
      return "it exists already";
    case absl::StatusCode::kPermissionDenied:
      return "permission denied";
    case absl::StatusCode::kResourceExhausted:
      return "a limit was reached";
    case absl::StatusCode::kUnavailable:
      return "unavailable, try again";
    case absl::StatusCode::kCancelled:
      return "cancelled";
    case absl::StatusCode::kDeadlineExceeded:
      return "the deadline passed";
    case absl::StatusCode::kUnimplemented:
      return "not offered";
    default:
      return "internal error";
  }
}

void Set(v1::ErrorInfo& info, const char* key, const std::string& value) {
  if (!value.empty()) (*info.mutable_metadata())[key] = value;
}

std::string Get(const v1::ErrorInfo& info, const char* key);

// A stranger's text: printable ASCII of bounded length.
std::string Foreign(const std::string& text) {
  std::string out = text.substr(0, kForeignTextMax);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

std::string Get(const v1::ErrorInfo& info, const char* key) {
  const auto found = info.metadata().find(key);
  return found == info.metadata().end() ? "" : Foreign(found->second);
}

std::optional<ErrorDetail> DetailIn(const std::string& bytes) {
  v1::RpcStatus rpc;
  if (!rpc.ParseFromString(bytes)) return std::nullopt;
  for (const v1::RpcDetail& detail : rpc.details()) {
    v1::ErrorInfo info;
    if (detail.type_url() != kErrorInfoUrl ||
        !info.ParseFromString(detail.value()) || info.domain() != kDomain)
      continue;
    return ErrorDetail{.code = Foreign(info.reason()),
                       .field = Get(info, "field"),
                       .expected = Get(info, "expected"),
                       .hint = Get(info, "hint"),
                       .retryable = Get(info, "retryable") == "true"};
  }
  return std::nullopt;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::optional<ErrorDetail> detail = DetailOf(status);
  v1::ErrorInfo info;
  info.set_reason(ErrorCodeOf(status));
  info.set_domain(kDomain);
  if (detail) {
    Set(info, "field", detail->field);
    Set(info, "expected", detail->expected);
    Set(info, "hint", detail->hint);
  }
  if (detail ? detail->retryable
             : status.code() == absl::StatusCode::kUnavailable)
    Set(info, "retryable", "true");
  const std::string message = PublicMessage(status, detail.has_value());
  v1::RpcStatus rpc;
  rpc.set_code(static_cast<int32_t>(status.code()));
  rpc.set_message(message);
  v1::RpcDetail& any = *rpc.add_details();
  any.set_type_url(kErrorInfoUrl);
  any.set_value(info.SerializeAsString());
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message,
                      rpc.SerializeAsString());
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  // A code beyond the list counts as UNKNOWN, as gRPC's own clients do.
  const int code = status.error_code() >= 1 && status.error_code() <= 16
                       ? static_cast<int>(status.error_code())
                       : 2;
  const auto absl_code = static_cast<absl::StatusCode>(code);
  const std::string message = Foreign(status.error_message());
  if (const auto detail = DetailIn(status.error_details()))
    return MakeError(absl_code, message, *detail);
  return absl::Status(absl_code, message);
}

}  // namespace amparo

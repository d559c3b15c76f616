#include "proto/grpc/status.h"

#include <vector>

#include "amparo/v1/error_info.pb.h"
#include "base/error.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

const ErrorDetail kDetail = {.code = "conflict",
                             .field = "/version",
                             .expected = "the next version",
                             .hint = "fetch the newest charter",
                             .retryable = true};

v1::ErrorInfo InfoOf(const grpc::Status& status) {
  v1::RpcStatus rpc;
  EXPECT_TRUE(rpc.ParseFromString(status.error_details()));
  EXPECT_EQ(rpc.details_size(), 1);
  v1::ErrorInfo info;
  EXPECT_TRUE(info.ParseFromString(rpc.details(0).value()));
  return info;
}

TEST(GrpcStatus, KeepsCodeMessageAndDetailBothWays) {
  const absl::Status status =
      MakeError(absl::StatusCode::kAlreadyExists, "version 2 exists", kDetail);
  const absl::Status back = FromGrpc(ToGrpc(status));
  EXPECT_THAT(back, StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(back.message(), "version 2 exists");
  EXPECT_EQ(DetailOf(back), kDetail);
}

TEST(GrpcStatus, KeepsEveryCode) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "x");
    EXPECT_EQ(FromGrpc(ToGrpc(status)).code(), status.code()) << code;
  }
}

TEST(GrpcStatus, IsOkWhenItIsOk) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  EXPECT_OK(FromGrpc(grpc::Status::OK));
}

TEST(GrpcStatus, SaysTheErrorCodeWithoutADetailToo) {
  const v1::ErrorInfo info = InfoOf(ToGrpc(absl::NotFoundError("x")));
  EXPECT_EQ(info.reason(), "not_found");
  EXPECT_EQ(info.domain(), "amparo");
}

TEST(GrpcStatus, IsWireCompatibleWithGoogleRpcStatus) {
  const grpc::Status status = ToGrpc(
      MakeError(absl::StatusCode::kNotFound, "no", {.code = "not_found"}));
  // google.rpc.Status: code (1), message (2), details (3) of Any: type_url (1).
  const std::string head = {0x08, 5, 0x12, 2, 'n', 'o', 0x1a};
  EXPECT_EQ(status.error_details().substr(0, head.size()), head);
  EXPECT_NE(
      status.error_details().find("type.googleapis.com/google.rpc.ErrorInfo"),
      std::string::npos);
}

TEST(GrpcStatus, NeverTellsWhatADependencySaid) {
  const std::string secret = "IO error: /var/lib/amparo/store/000004.log";
  for (const absl::StatusCode code :
       {absl::StatusCode::kInternal, absl::StatusCode::kUnknown,
        absl::StatusCode::kDataLoss, absl::StatusCode::kUnavailable,
        absl::StatusCode::kAborted, absl::StatusCode::kNotFound,
        absl::StatusCode::kAlreadyExists, absl::StatusCode::kPermissionDenied,
        absl::StatusCode::kResourceExhausted}) {
    const grpc::Status status = ToGrpc(absl::Status(code, secret));
    EXPECT_EQ(status.error_message().find("amparo/store"), std::string::npos);
    EXPECT_EQ(status.error_details().find("amparo/store"), std::string::npos);
  }
}

TEST(GrpcStatus, TellsWhatWasWrongWithTheRequest) {
  EXPECT_EQ(ToGrpc(absl::InvalidArgumentError("a tile is 1 to 256 wide"))
                .error_message(),
            "a tile is 1 to 256 wide");
}

TEST(GrpcStatus, IgnoresTheDetailsOfAnotherDomain) {
  v1::ErrorInfo info;
  info.set_reason("no_consent");
  info.set_domain("example.org");
  v1::RpcStatus rpc;
  rpc.add_details()->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  rpc.mutable_details(0)->set_value(info.SerializeAsString());
  const absl::Status status = FromGrpc(
      grpc::Status(grpc::StatusCode::NOT_FOUND, "x", rpc.SerializeAsString()));
  EXPECT_EQ(DetailOf(status), std::nullopt);
  EXPECT_EQ(ErrorCodeOf(status), "not_found");
}

TEST(GrpcStatus, CutsAndCleansAStrangersText) {
  const absl::Status status = FromGrpc(grpc::Status(
      grpc::StatusCode::INTERNAL, "\x1b[2J" + std::string(4096, 'x'), "junk"));
  EXPECT_EQ(status.message().size(), 512u);
  EXPECT_EQ(status.message()[0], '?');
}

TEST(GrpcStatus, TakesACodeBeyondTheListAsUnknown) {
  EXPECT_THAT(FromGrpc(grpc::Status(static_cast<grpc::StatusCode>(31), "x")),
              StatusIs(absl::StatusCode::kUnknown));
}

}  // namespace
}  // namespace amparo

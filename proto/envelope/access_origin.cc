#include "proto/envelope/access_origin.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace amparo {
namespace {

constexpr absl::string_view kAccess = "/access/";

}  // namespace

std::string FormatAccessOrigin(absl::string_view network,
                               const MemberId& member) {
  return absl::StrCat(network, kAccess, member.text());
}

absl::StatusOr<AccessOrigin> ParseAccessOrigin(absl::string_view origin) {
  const size_t at = origin.rfind(kAccess);
  if (at == absl::string_view::npos)
    return absl::InvalidArgumentError("not the origin of an access log");
  ASSIGN_OR_RETURN(const MemberId member,
                   MemberId::Parse(origin.substr(at + kAccess.size())));
  return AccessOrigin{std::string(origin.substr(0, at)), member};
}

}  // namespace amparo

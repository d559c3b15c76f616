#include "crypto/x509_name.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "base/strong_id.h"

namespace amparo {
namespace {

std::string MemberUriPrefix(absl::string_view network) {
  return absl::StrCat("spiffe://", network, "/member/");
}

bool IsDnsName(absl::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(host, '.');
  for (absl::string_view label : labels) {
    if (label.empty() || label.size() > 63 || label.front() == '-' ||
        label.back() == '-')
      return false;
    for (char c : label)
      if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-')
        return false;
  }
  // Else a mistyped address would pass as a name.
  return !std::all_of(labels.back().begin(), labels.back().end(),
                      [](unsigned char c) { return absl::ascii_isdigit(c); });
}

}  // namespace

absl::Status CheckNames(std::initializer_list<absl::string_view> names) {
  for (absl::string_view name : names)
    RETURN_IF_ERROR(StrongId<struct TlsNameTag>::Parse(name).status());
  return absl::OkStatus();
}

AlternativeName NameOfMember(absl::string_view network,
                             absl::string_view member) {
  return {GEN_URI, absl::StrCat(MemberUriPrefix(network), member)};
}

absl::StatusOr<AlternativeName> NameOfHost(const std::string& host) {
  std::array<char, 16> address;
  // inet_pton would stop at a NUL and not see the rest.
  if (host.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, host.c_str(), address.data()) == 1)
      return AlternativeName{GEN_IPADD, std::string(address.data(), 4)};
    if (inet_pton(AF_INET6, host.c_str(), address.data()) == 1)
      return AlternativeName{GEN_IPADD, std::string(address.data(), 16)};
  }
  if (!IsDnsName(host))
    return absl::InvalidArgumentError("a host is neither name nor address");
  return AlternativeName{GEN_DNS, host};
}

// Built value by value: OpenSSL's text form would read commas in a name.
absl::StatusOr<ExtensionPtr> SubjectAltName(
    const std::vector<AlternativeName>& names) {
  const NamesPtr list(GENERAL_NAMES_new());
  if (list == nullptr) return OpensslFailed();
  for (const AlternativeName& name : names) {
    NamePtr entry(GENERAL_NAME_new());
    ASN1_STRING* value = ASN1_STRING_type_new(
        name.type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    if (entry == nullptr || value == nullptr) {
      ASN1_STRING_free(value);
      return OpensslFailed();
    }
    GENERAL_NAME_set0_value(entry.get(), name.type, value);  // owns it now
    if (ASN1_STRING_set(value, name.value.data(),
                        static_cast<int>(name.value.size())) != 1 ||
        sk_GENERAL_NAME_push(list.get(), entry.get()) <= 0)
      return OpensslFailed();
    entry.release();
  }
  ExtensionPtr extension(X509V3_EXT_i2d(NID_subject_alt_name, 0, list.get()));
  if (extension == nullptr) return OpensslFailed();
  return extension;
}

absl::StatusOr<std::string> MemberIn(const X509& certificate,
                                     absl::string_view network) {
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  // One name and nothing else: with two, readers could differ on which counts.
  if (names == nullptr || sk_GENERAL_NAME_num(names.get()) != 1)
    return CertificateRefused("a certificate without a member's name");
  int type = 0;
  const auto* value = static_cast<const ASN1_STRING*>(
      GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), 0), &type));
  if (type != GEN_URI)
    return CertificateRefused("a certificate without a member's name");
  absl::string_view member(
      reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
      static_cast<size_t>(ASN1_STRING_length(value)));
  if (!absl::ConsumePrefix(&member, MemberUriPrefix(network)) ||
      !CheckNames({member}).ok())
    return CertificateRefused(
        "a certificate of another network, or of no member");
  return std::string(member);
}

}  // namespace amparo

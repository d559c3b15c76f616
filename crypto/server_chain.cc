#include "crypto/server_chain.h"

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "crypto/openssl.h"

namespace amparo {
namespace {

constexpr int kChainMax = 8;

void FreeCertificates(STACK_OF(X509) * certificates) {
  sk_X509_pop_free(certificates, X509_free);
}
using CertificatesPtr = Owned<STACK_OF(X509), FreeCertificates>;
using StorePtr = Owned<X509_STORE, X509_STORE_free>;
using VisitPtr = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

// Empty when there is none or OpenSSL fails: then nothing verifies.
CertificatesPtr ReadAll(absl::string_view pem) {
  CertificatesPtr all(sk_X509_new_null());
  if (all == nullptr || pem.empty() || pem.size() > kX509BytesMax) return all;
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return all;
  while (sk_X509_num(all.get()) < kChainMax) {
    CertificatePtr next(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (next == nullptr || sk_X509_push(all.get(), next.get()) <= 0) break;
    (void)next.release();  // the stack's
  }
  return all;
}

// True and the time, or false.
bool Read(const ASN1_TIME* time, absl::Time& out) {
  std::tm parts;
  if (ASN1_TIME_to_tm(time, &parts) != 1) return false;
  out = absl::FromTM(parts, absl::UTCTimeZone());
  return true;
}

bool IsFor(X509& certificate, const std::string& host) {
  return X509_check_ip_asc(&certificate, host.c_str(), 0) == 1 ||
         X509_check_host(&certificate, host.data(), host.size(), 0, nullptr) ==
             1;
}

// The verified chain's common time; false when one cannot be read.
bool ReadTimes(STACK_OF(X509) * chain, ChainVerdict& verdict) {
  verdict.from = absl::InfinitePast();
  verdict.until = absl::InfiniteFuture();
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* one = sk_X509_value(chain, i);
    absl::Time from, until;
    if (!Read(X509_get0_notBefore(one), from) ||
        !Read(X509_get0_notAfter(one), until))
      return false;
    verdict.from = std::max(verdict.from, from);
    verdict.until = std::min(verdict.until, until);
  }
  return true;
}

}  // namespace

ChainVerdict JudgeServerChain(absl::string_view chain_pem,
                              absl::string_view ca_pem, const std::string& host,
                              absl::Time now) {
  const ErrorQueue errors;
  ChainVerdict verdict;
  const CertificatesPtr shown = ReadAll(chain_pem);
  const CertificatesPtr trusted = ReadAll(ca_pem);
  const StorePtr store(X509_STORE_new());
  const VisitPtr visit(X509_STORE_CTX_new());
  if (shown == nullptr || sk_X509_num(shown.get()) == 0 || trusted == nullptr ||
      store == nullptr || visit == nullptr)
    return verdict;
  for (int i = 0; i < sk_X509_num(trusted.get()); ++i)
    if (X509_STORE_add_cert(store.get(), sk_X509_value(trusted.get(), i)) != 1)
      return verdict;
  X509* const server = sk_X509_value(shown.get(), 0);
  if (X509_STORE_CTX_init(visit.get(), store.get(), server, shown.get()) != 1)
    return verdict;
  X509_STORE_CTX_set_purpose(visit.get(), X509_PURPOSE_SSL_SERVER);
  X509_STORE_CTX_set_flags(visit.get(), X509_V_FLAG_NO_CHECK_TIME);
  if (X509_verify_cert(visit.get()) != 1 ||
      !ReadTimes(X509_STORE_CTX_get0_chain(visit.get()), verdict))
    return ChainVerdict();
  if (!IsFor(*server, host))
    verdict.fault = ChainFault::kOtherHost;
  else if (now < verdict.from)
    verdict.fault = ChainFault::kTooEarly;
  else if (now > verdict.until)
    verdict.fault = ChainFault::kEnded;
  else
    verdict.fault = ChainFault::kNone;
  return verdict;
}

}  // namespace amparo

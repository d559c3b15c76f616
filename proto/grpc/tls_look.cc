#include "proto/grpc/tls_look.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "absl/time/clock.h"

namespace amparo {
namespace {

constexpr unsigned char kHttp2[] = {2, 'h', '2'};

template <typename T, void (*Free)(T*)>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
template <typename T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, Freer<T, Free>>;
using ContextPtr = Owned<SSL_CTX, SSL_CTX_free>;
using TlsPtr = Owned<SSL, SSL_free>;
inline void FreeBio(BIO* bio) { BIO_free_all(bio); }
using BioPtr = Owned<BIO, FreeBio>;

// OpenSSL's errors are the thread's; gRPC's must not see ours.
struct ErrorQueue {
  ~ErrorQueue() { ERR_clear_error(); }
};

// What is known of whom, while the handshake runs.
struct Meeting {
  const std::string& host;
  const ClientTls& tls;
  const absl::Time now;
  TlsLook look;
};

void UseCertificate(SSL& ssl, const ClientTls& tls) {
  const BioPtr key(
      BIO_new_mem_buf(tls.key.data(), static_cast<int>(tls.key.size())));
  const BioPtr certificate(BIO_new_mem_buf(
      tls.certificate.data(), static_cast<int>(tls.certificate.size())));
  if (key == nullptr || certificate == nullptr) return;
  const Owned<EVP_PKEY, EVP_PKEY_free> own(
      PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr));
  const Owned<X509, X509_free> shown(
      PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr));
  if (own == nullptr || shown == nullptr) return;
  if (SSL_use_certificate(&ssl, shown.get()) == 1)
    SSL_use_PrivateKey(&ssl, own.get());
}

// The certificates that the server showed, its own first.
std::string ChainPem(SSL& tls) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  const STACK_OF(X509)* chain = SSL_get_peer_cert_chain(&tls);
  if (bio == nullptr || chain == nullptr) return "";
  for (int i = 0; i < sk_X509_num(chain); ++i)
    if (PEM_write_bio_X509(bio.get(), sk_X509_value(chain, i)) != 1) return "";
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : "";
}

ChainVerdict Judge(SSL& ssl, const Meeting& meeting) {
  return JudgeServerChain(ChainPem(ssl), meeting.tls.server_ca, meeting.host,
                          meeting.now);
}

// The server asks for a certificate, after it has proved its own. A stranger
// does not learn who calls, nor does who has a key whose certificate ended.
int OnRequest(SSL* ssl, void* argument) {
  Meeting& meeting = *static_cast<Meeting*>(argument);
  meeting.look.wants_certificate = true;
  const ChainFault fault = Judge(*ssl, meeting).fault;
  const bool may_know =
      fault == ChainFault::kNone || fault == ChainFault::kTooEarly;
  if (may_know && !meeting.tls.key.empty()) UseCertificate(*ssl, meeting.tls);
  return 1;
}

// Repeats `step` while it wants the socket. What SSL_get_error says at last;
// SSL_ERROR_WANT_READ when the time is over.
int RunUntil(SSL& tls, int socket, absl::Time deadline,
             const std::function<int()>& step) {
  for (;;) {
    ERR_clear_error();
    const int error = SSL_get_error(&tls, step());
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      return error;
    const int left_ms =
        static_cast<int>(absl::ToInt64Milliseconds(deadline - absl::Now()));
    pollfd wait = {
        socket,
        static_cast<short>(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    if (left_ms <= 0 || poll(&wait, 1, left_ms) == 0)
      return SSL_ERROR_WANT_READ;
  }
}

TlsLook::End EndOfHandshake(int error) {
  if (error == SSL_ERROR_WANT_READ) return TlsLook::End::kSilent;
  // A connection that just ends is no protocol's word.
  const unsigned long why = ERR_peek_error();
  const bool is_cut =
      why == 0 || ERR_GET_REASON(why) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  return is_cut ? TlsLook::End::kClosed : TlsLook::End::kNoTls13;
}

}  // namespace

TlsLook LookAtTls(int socket, const std::string& host, const ClientTls& tls,
                  absl::Time now, absl::Time deadline) {
  const ErrorQueue errors;
  Meeting meeting{host, tls, now, {}};
  TlsLook& look = meeting.look;
  const ContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr ||
      SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof kHttp2) != 0)
    return look;
  // Judged below, where the fault can be told.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_cert_cb(context.get(), OnRequest, &meeting);
  const TlsPtr ssl(SSL_new(context.get()));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), socket) != 1) return look;
  // Names only: an IP address is no server name (RFC 6066).
  if (host.find_first_not_of("0123456789.:abcdefABCDEF") != std::string::npos)
    SSL_set_tlsext_host_name(ssl.get(), host.c_str());

  const int shaken =
      RunUntil(*ssl, socket, deadline, [&] { return SSL_connect(ssl.get()); });
  if (shaken != SSL_ERROR_NONE) {
    look.end = EndOfHandshake(shaken);
    return look;
  }
  look.chain = Judge(*ssl, meeting);
  // HTTP/2 servers speak first, and an alert comes here too.
  char first = 0;
  const int heard = RunUntil(*ssl, socket, deadline, [&] {
    return SSL_read(ssl.get(), &first, sizeof first);
  });
  look.end = heard == SSL_ERROR_NONE        ? TlsLook::End::kAnswered
             : heard == SSL_ERROR_WANT_READ ? TlsLook::End::kNoAnswer
                                            : TlsLook::End::kRefused;
  return look;
}

}  // namespace amparo

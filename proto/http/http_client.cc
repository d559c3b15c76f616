#include "proto/http/http_client.h"

#include <curl/curl.h>

#include <cstdlib>
#include <utility>

#include "base/error.h"

namespace amparo {
namespace {

void* MakeHandle() {
  // Once in a process, and never undone: the library wants it so.
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  void* handle = ready ? curl_easy_init() : nullptr;
  if (handle == nullptr) std::abort();
  return handle;
}

absl::Status Failure(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return MakeError(absl::StatusCode::kDeadlineExceeded,
                       "the server did not answer in time",
                       {.code = "timed_out"});
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return MakeError(absl::StatusCode::kUnauthenticated,
                       "the server's certificate was refused", {.code = "tls"});
    default:
      return MakeError(absl::StatusCode::kUnavailable,
                       "the server cannot be reached", {.code = "unreachable"});
  }
}

}  // namespace

// What the library's callbacks reach.
struct HttpClient::Call {
  // Fewer bytes than came end the call.
  static size_t OnBody(char* data, size_t size, size_t count, void* self) {
    Call& call = *static_cast<Call*>(self);
    size *= count;
    if (call.answer.body.size() + size > call.bytes_max) {
      call.too_large = true;
      return 0;
    }
    call.answer.body.append(data, size);
    return size;
  }
  static size_t OnHeader(char*, size_t size, size_t count, void* self) {
    Call& call = *static_cast<Call*>(self);
    size *= count;
    call.header_bytes += size;
    call.too_large = call.too_large || call.header_bytes > call.bytes_max;
    return call.too_large ? 0 : size;
  }
  static int OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t,
                        curl_off_t) {
    return static_cast<Call*>(self)->stopped ? 1 : 0;
  }

  const size_t bytes_max;
  const std::atomic<bool>& stopped;
  Answer answer = {};
  size_t header_bytes = 0;
  bool too_large = false;
};

HttpClient::HttpClient(std::string ca_file, const Limits& limits)
    : ca_file_(std::move(ca_file)), limits_(limits), handle_(MakeHandle()) {}

HttpClient::~HttpClient() { curl_easy_cleanup(handle_); }

absl::StatusOr<HttpClient::Answer> HttpClient::Post(const std::string& url,
                                                    const std::string& body) {
  const absl::Status stopped =
      MakeError(absl::StatusCode::kCancelled, "no call is wanted any more",
                {.code = "stopped"});
  if (stopped_) return stopped;
  Call call{limits_.answer_bytes_max, stopped_};
  curl_easy_reset(handle_);  // keeps the connection
  curl_slist* headers =
      curl_slist_append(nullptr, "Content-Type: text/plain; charset=utf-8");
  headers = curl_slist_append(headers, "Expect:");
  CURLcode code = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    if (code == CURLE_OK) code = curl_easy_setopt(handle_, option, value);
  };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file_.empty()) {
    set(CURLOPT_CAINFO, ca_file_.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS,
      static_cast<long>(absl::ToInt64Milliseconds(limits_.patience)));
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  set(CURLOPT_POSTFIELDS, body.data());
  set(CURLOPT_WRITEFUNCTION, &Call::OnBody);
  set(CURLOPT_WRITEDATA, &call);
  set(CURLOPT_HEADERFUNCTION, &Call::OnHeader);
  set(CURLOPT_HEADERDATA, &call);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Call::OnProgress);
  set(CURLOPT_XFERINFODATA, &call);
  if (code == CURLE_OK) code = curl_easy_perform(handle_);
  curl_slist_free_all(headers);
  if (stopped_) return stopped;
  if (call.too_large)
    return MakeError(absl::StatusCode::kResourceExhausted,
                     "the answer is too large", {.code = "too_large"});
  if (code != CURLE_OK) return Failure(code);
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  call.answer.status = static_cast<unsigned>(status);
  return std::move(call.answer);
}

}  // namespace amparo

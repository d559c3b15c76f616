#include "proto/http/http_port.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/pacer.h"
#include "base/status.h"
#include "proto/network/host_port.h"

namespace amparo {
namespace {

constexpr int kBacklog = 64;
constexpr absl::Duration kLookEvery = absl::Milliseconds(250);

struct Address {
  sockaddr_storage bytes = {};
  socklen_t size = 0;
};

absl::StatusOr<Address> ToAddress(const HostPort& where) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.bytes);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.bytes);
  const std::string host = where.host == "localhost" ? "127.0.0.1" : where.host;
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(where.port);
    address.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(where.port);
    address.size = sizeof *v6;
  } else {
    return absl::InvalidArgumentError("not an IP address");
  }
  return address;
}

uint16_t PortOf(int listener) {
  Address address;
  address.size = sizeof address.bytes;
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&address.bytes),
                  &address.size) != 0)
    return 0;
  // The port stands at the same place in both families.
  return ntohs(reinterpret_cast<sockaddr_in*>(&address.bytes)->sin_port);
}

// A socket that listens; -1 when it cannot.
int Listen(const Address& address) {
  const int fd = socket(address.bytes.ss_family,
                        SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address.bytes),
           address.size) == 0 &&
      listen(fd, kBacklog) == 0)
    return fd;
  close(fd);
  return -1;
}

// The path is taken as it was sent: one spelling of each page.
size_t KeepEscapes(void*, MHD_Connection*, char* text) {
  return std::char_traits<char>::length(text);
}

const char* Header(MHD_Connection* connection, const char* name) {
  return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

bool HasBody(MHD_Connection* connection) {
  const char* length = Header(connection, "Content-Length");
  return (length != nullptr && absl::string_view(length) != "0") ||
         Header(connection, "Transfer-Encoding") != nullptr;
}

MHD_Result Send(MHD_Connection* connection, HttpAnswer answer,
                const char* allow = nullptr) {
  auto* body = new std::string(std::move(answer.body));
  MHD_Response* response =
      MHD_create_response_from_buffer_with_free_callback_cls(
          body->size(), body->data(),
          [](void* owned) { delete static_cast<std::string*>(owned); }, body);
  if (response == nullptr) {
    delete body;
    return MHD_NO;
  }
  MHD_add_response_header(response, "Content-Type",
                          answer.content_type.c_str());
  MHD_add_response_header(response, "Cache-Control",
                          answer.cache_control.c_str());
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  if (allow != nullptr) MHD_add_response_header(response, "Allow", allow);
  const MHD_Result queued =
      MHD_queue_response(connection, answer.status, response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace

struct HttpPort::Server {
  Server(Answerer a, Taker t, const Limits& l)
      : answer(std::move(a)),
        take(std::move(t)),
        body_bytes_max(l.body_bytes_max),
        life(l.life) {}
  ~Server() {
    // First: it shuts sockets down that the daemon closes.
    reaper.reset();
    if (daemon != nullptr) MHD_stop_daemon(daemon);
  }

  bool Start(int listener, const Limits& limits);
  MHD_Result OnRequest(MHD_Connection* connection, absl::string_view path,
                       absl::string_view method, absl::string_view more,
                       void** seen);
  MHD_Result OnPost(MHD_Connection* connection, absl::string_view path,
                    absl::string_view more, void** seen);
  void OnConnection(MHD_Connection* connection, bool started);
  void EndOverdue();

  const Answerer answer;
  const Taker take;
  const size_t body_bytes_max;
  const absl::Duration life;
  MHD_Daemon* daemon = nullptr;
  Mutex mutex;
  // Sockets that are open, and until when.
  std::map<int, absl::Time> open ABSL_GUARDED_BY(mutex);
  std::optional<Pacer> reaper;
};

bool HttpPort::Server::Start(int listener, const Limits& limits) {
  const auto on_request = [](void* self, MHD_Connection* connection,
                             const char* path, const char* method, const char*,
                             const char* data, size_t* size, void** seen) {
    const absl::string_view more(data, *size);
    *size = 0;  // all of it is taken
    return static_cast<Server*>(self)->OnRequest(connection, path, method, more,
                                                 seen);
  };
  const auto on_end = [](void* self, MHD_Connection*, void** seen,
                         MHD_RequestTerminationCode) {
    if (*seen != self) delete static_cast<std::string*>(*seen);
  };
  const auto on_connection = [](void* self, MHD_Connection* connection, void**,
                                MHD_ConnectionNotificationCode what) {
    static_cast<Server*>(self)->OnConnection(
        connection, what == MHD_CONNECTION_NOTIFY_STARTED);
  };
  // Not epoll: its edges miss an end that comes together with a request.
  daemon = MHD_start_daemon(
      MHD_USE_POLL_INTERNAL_THREAD, 0, nullptr, nullptr, +on_request, this,
      MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
      limits.connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
      limits.connections_per_address_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      limits.request_bytes_max, MHD_OPTION_CONNECTION_TIMEOUT,
      static_cast<unsigned>(absl::ToInt64Seconds(limits.idle)),
      MHD_OPTION_UNESCAPE_CALLBACK, &KeepEscapes, nullptr,
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
      +on_connection, this, MHD_OPTION_NOTIFY_COMPLETED, +on_end, this,
      MHD_OPTION_END);
  if (daemon == nullptr) return false;
  reaper.emplace(kLookEvery, [this] { EndOverdue(); });
  return true;
}

MHD_Result HttpPort::Server::OnRequest(MHD_Connection* connection,
                                       absl::string_view path,
                                       absl::string_view method,
                                       absl::string_view more, void** seen) {
  if (method == "POST" && take) return OnPost(connection, path, more, seen);
  const bool known = method == "GET" || method == "HEAD";
  // What follows a refused method is not read: the library hangs up after it.
  if (!known)
    return Send(connection,
                {.status = MHD_HTTP_METHOD_NOT_ALLOWED,
                 .body = "not a method of this page\n"},
                take ? "GET, HEAD, POST" : "GET, HEAD");
  // A body that is not read would be taken for the next request.
  if (HasBody(connection)) return MHD_NO;
  if (*seen == nullptr) {  // called again when the headers are through
    *seen = this;
    return MHD_YES;
  }
  return Send(connection, answer(path));
}

// The body's length comes first, or nothing of it is read: no body is longer
// than its limit, and none ends elsewhere for a proxy than for us.
MHD_Result HttpPort::Server::OnPost(MHD_Connection* connection,
                                    absl::string_view path,
                                    absl::string_view more, void** seen) {
  auto* body = static_cast<std::string*>(*seen);
  if (body == nullptr) {
    const char* length = Header(connection, "Content-Length");
    uint64_t size = 0;
    if (Header(connection, "Transfer-Encoding") != nullptr) return MHD_NO;
    if (length == nullptr || !absl::SimpleAtoi(length, &size))
      return Send(connection, {.status = MHD_HTTP_LENGTH_REQUIRED,
                               .body = "a length is required\n"});
    if (size > body_bytes_max)
      return Send(connection, {.status = MHD_HTTP_CONTENT_TOO_LARGE,
                               .body = "too large\n"});
    *seen = new std::string();
    return MHD_YES;
  }
  if (more.empty()) return Send(connection, take(path, *body));
  if (body->size() + more.size() > body_bytes_max) return MHD_NO;
  body->append(more.data(), more.size());
  return MHD_YES;
}

void HttpPort::Server::OnConnection(MHD_Connection* connection, bool started) {
  const MHD_ConnectionInfo* info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info == nullptr) return;
  MutexLock lock(mutex);
  if (started)
    open[info->connect_fd] = absl::Now() + life;
  else
    open.erase(info->connect_fd);
}

// Under the lock, which the library takes before it closes a socket: the number
// is still that connection's.
void HttpPort::Server::EndOverdue() {
  const absl::Time now = absl::Now();
  MutexLock lock(mutex);
  for (const auto& [fd, until] : open)
    if (now >= until) shutdown(fd, SHUT_RDWR);
}

absl::StatusOr<std::unique_ptr<HttpPort>> HttpPort::Open(
    const std::string& listen, const char* key, const Limits& limits,
    Answerer answer, Taker take) {
  const absl::Status refused = MakeError(
      absl::StatusCode::kUnavailable, absl::StrCat("cannot listen on ", listen),
      {.code = "config",
       .field = key,
       .expected = "an IP address of this machine with a free port"});
  ASSIGN_OR_RETURN(HostPort where, ParseHostPort(listen));
  const auto address = ToAddress(where);
  if (!address.ok()) return refused;
  const int listener = Listen(*address);
  if (listener < 0) return refused;
  where.port = PortOf(listener);
  auto server =
      std::make_unique<Server>(std::move(answer), std::move(take), limits);
  if (!server->Start(listener, limits)) {
    close(listener);
    return refused;
  }
  return std::unique_ptr<HttpPort>(
      new HttpPort(std::move(server), FormatHostPort(where)));
}

HttpPort::HttpPort(std::unique_ptr<Server> server, std::string address)
    : server_(std::move(server)), address_(std::move(address)) {}

HttpPort::~HttpPort() = default;

}  // namespace amparo

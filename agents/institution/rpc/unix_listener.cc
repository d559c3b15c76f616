#include "agents/institution/rpc/unix_listener.h"

#include <fcntl.h>
#include <grpcpp/server_posix.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

// The system's limit, without the closing zero.
constexpr size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;
constexpr int kBacklog = 64;

absl::Status ErrnoStatus(absl::string_view what) {
  const int error = errno;
  return MakeError(absl::ErrnoToStatusCode(error), what,
                   {.code = "config", .field = "api.socket"});
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

bool SomebodyListens(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const sockaddr_un address = AddressOf(path);
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address),
                                 sizeof address) == 0;
  close(fd);
  return connected;
}

absl::Status BindAndListen(int fd, const std::string& path) {
  const sockaddr_un address = AddressOf(path);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return ErrnoStatus(absl::StrCat("cannot make the socket ", path));
  if (chmod(path.c_str(), 0660) != 0)
    return ErrnoStatus(absl::StrCat("cannot set the mode of ", path));
  if (listen(fd, kBacklog) != 0)
    return ErrnoStatus(absl::StrCat("cannot listen on ", path));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnixListener>> UnixListener::Create(
    const std::string& path, MakeServer make_server) {
  if (path.empty() || path.size() > kPathBytesMax)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     absl::StrCat("the socket's path has ", path.size(), " bytes"),
                     {.code = "config",
                      .field = "api.socket",
                      .expected = absl::StrCat("1 to ", kPathBytesMax, " bytes")});
  if (SomebodyListens(path))
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     absl::StrCat("another agent listens on ", path),
                     {.code = "config", .field = "api.socket"});
  unlink(path.c_str());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return ErrnoStatus("cannot make a socket");
  if (const absl::Status bound = BindAndListen(fd, path); !bound.ok()) {
    close(fd);
    return bound;
  }
  const int wake = eventfd(0, EFD_CLOEXEC);
  if (wake < 0) {
    close(fd);
    return ErrnoStatus("cannot make an event descriptor");
  }
  std::unique_ptr<UnixListener> listener(
      new UnixListener(path, fd, wake, std::move(make_server)));
  listener->thread_ = std::thread([raw = listener.get()] { raw->Accept(); });
  return listener;
}

UnixListener::UnixListener(std::string path, int listen_fd, int wake_fd,
                           MakeServer make_server)
    : path_(std::move(path)),
      listen_fd_(listen_fd),
      wake_fd_(wake_fd),
      make_server_(std::move(make_server)) {}

UnixListener::~UnixListener() { Shutdown(absl::ZeroDuration()); }

void UnixListener::Accept() {
  while (true) {
    pollfd waiting[] = {{listen_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) return;
    if (waiting[1].revents != 0) return;
    // gRPC wants a descriptor that does not block.
    const int connection =
        accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection >= 0) Serve(connection);
  }
}

void UnixListener::Serve(int connection) {
  ucred credentials = {};
  socklen_t size = sizeof credentials;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    close(connection);
    return;
  }
  const uint32_t uid = credentials.uid;
  MutexLock lock(mutex_);
  auto found = servers_.find(uid);
  if (found == servers_.end()) {
    std::unique_ptr<grpc::Server> server = make_server_(uid);
    if (server == nullptr) {
      close(connection);
      return;
    }
    found = servers_.emplace(uid, std::move(server)).first;
  }
  grpc::AddInsecureChannelFromFd(found->second.get(), connection);
}

void UnixListener::Shutdown(absl::Duration grace) {
  if (down_.exchange(true)) return;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
  thread_.join();
  close(listen_fd_);
  close(wake_fd_);
  unlink(path_.c_str());
  const auto deadline =
      std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace);
  std::map<uint32_t, std::unique_ptr<grpc::Server>> servers;
  {
    MutexLock lock(mutex_);
    servers.swap(servers_);
  }
  for (auto& [uid, server] : servers) server->Shutdown(deadline);
}

}  // namespace amparo::agent

#include "broker/daemon/data_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"

namespace amparo::broker {
namespace {

constexpr size_t kSmallFileMax = 64 << 10;

absl::Status ReadError(const std::string& path) {
  const int error = errno;
  return MakeError(
      absl::ErrnoToStatusCode(error), absl::StrCat("cannot read ", path),
      {.code = error == ENOENT ? "not_found" : "storage", .field = "--data"});
}

// Closes on scope exit.
struct Descriptor {
  const int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

absl::Status NotFounded(const std::string& path) {
  return MakeError(absl::StatusCode::kNotFound,
                   absl::StrCat("there is no broker in ", path),
                   {.code = "not_found",
                    .field = "--data",
                    .hint = "amparo-broker init --data DIR --name NETWORK"});
}

// A key file: comments, and one line with the seed.
absl::StatusOr<SigningKey> ReadSeed(const std::string& path) {
  ASSIGN_OR_RETURN(const SecretBuffer file, ReadSecretFile(path));
  for (absl::string_view line : absl::StrSplit(AsText(file.Expose()), '\n')) {
    if (line.empty() || line[0] == '#') continue;
    auto bytes = FromBase64Url(line);
    if (!bytes.ok()) break;
    const SecretKeyBytes seed = SecretKeyBytes::CopyOf(*bytes);
    Wipe(*bytes);
    return SigningKey::FromSeed(seed);
  }
  return absl::DataLossError(absl::StrCat(path, " holds no key"));
}

}  // namespace

absl::StatusOr<SecretBuffer> ReadSecretFile(const std::string& path) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (file.fd < 0) return ReadError(path);
  struct stat info;
  if (fstat(file.fd, &info) != 0) return ReadError(path);
  if ((info.st_mode & 077) != 0)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     absl::StrCat(path, " may be read by others"),
                     {.code = "config",
                      .field = path,
                      .expected = "mode 0600",
                      .hint = "chmod 600; if others had access, replace it"});
  if (info.st_size < 0 || static_cast<size_t>(info.st_size) > kSmallFileMax)
    return absl::ResourceExhaustedError(absl::StrCat(path, " is too large"));
  SecretBuffer content(static_cast<size_t>(info.st_size));
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t got =
        read(file.fd, content.Mutable().data() + done, content.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ReadError(path);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  content.Shrink(done);
  return content;
}

absl::Status DataDir::CheckOwnerOnly() const {
  struct stat info;
  if (stat(path_.c_str(), &info) != 0) return NotFounded(path_);
  if ((info.st_mode & 077) == 0) return absl::OkStatus();
  return MakeError(absl::StatusCode::kPermissionDenied,
                   absl::StrCat(path_, " may be entered by others"),
                   {.code = "config",
                    .field = "--data",
                    .expected = "mode 0700",
                    .hint = "chmod 700"});
}

absl::StatusOr<BrokerConfig> DataDir::ReadConfig() const {
  auto text = ReadFile(config(), kSmallFileMax);
  if (absl::IsNotFound(text.status())) return NotFounded(path_);
  RETURN_IF_ERROR(text.status());
  return ParseBrokerConfig(*text, config());
}

absl::StatusOr<NetworkFile> DataDir::ReadNetworkFile() const {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(network_file(), kSmallFileMax));
  return ParseNetworkFile(text);
}

absl::StatusOr<DataDir::LogKeys> DataDir::ReadLogKeys(
    const NetworkFile& network) const {
  std::optional<SigningKey> key, second;
  for (const std::string& path : {log_key(), second_log_key()}) {
    absl::StatusOr<SigningKey> read = ReadSeed(path);
    if (absl::IsNotFound(read.status())) continue;
    RETURN_IF_ERROR(read.status());
    const bool named = read->verify_key() == network.log_key.key();
    (named ? key : second) = *std::move(read);
  }
  if (key.has_value()) return LogKeys{*std::move(key), std::move(second)};
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   "no log key here is the one that network.json names",
                   {.code = "config",
                    .field = "network",
                    .hint = "restore the files that init wrote"});
}

absl::StatusOr<DataDir::CaFiles> DataDir::FilesOfCa(ByteView ca_der) const {
  for (CaFiles& files : std::array{ca(), second_ca()}) {
    const auto certificate = ReadFile(files.certificate, kSmallFileMax);
    if (absl::IsNotFound(certificate.status())) continue;
    RETURN_IF_ERROR(certificate.status());
    const auto der = CertificateDer(*certificate);
    if (der.ok() && Equal(*der, ca_der)) return std::move(files);
  }
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   "no ca here is the one that network.json names",
                   {.code = "config",
                    .field = "ca",
                    .hint = "restore ca.pem and network.json from one copy"});
}

absl::StatusOr<DataDir::CaFiles> DataDir::FilesForNextCa(
    const NetworkFile& network) const {
  ASSIGN_OR_RETURN(const CaFiles present, FilesOfCa(network.ca_der));
  return present.key == ca().key ? second_ca() : ca();
}

absl::StatusOr<DataDir::Cas> DataDir::ReadCas(
    const NetworkFile& network) const {
  const auto read = [this](ByteView der) -> absl::StatusOr<TlsKeyPair> {
    ASSIGN_OR_RETURN(const CaFiles files, FilesOfCa(der));
    ASSIGN_OR_RETURN(SecretBuffer key, ReadSecretFile(files.key));
    ASSIGN_OR_RETURN(std::string certificate, CertificatePem(der));
    return TlsKeyPair{std::move(key), std::move(certificate)};
  };
  ASSIGN_OR_RETURN(TlsKeyPair current, read(network.ca_der));
  Cas cas{std::move(current), std::nullopt};
  if (network.next_ca_der.has_value()) {
    ASSIGN_OR_RETURN(cas.next, read(*network.next_ca_der));
  }
  return cas;
}

}  // namespace amparo::broker

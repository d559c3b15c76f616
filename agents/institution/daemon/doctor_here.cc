// What the doctor looks at on this machine.

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "absl/strings/str_cat.h"
#include "agents/institution/daemon/doctor_visit.h"
#include "agents/institution/daemon/store_to_read.h"
#include "base/files.h"
#include "crypto/client_certificate.h"
#include "crypto/x509.h"

namespace amparo::agent {
namespace {

constexpr uint64_t kDiskWarn = uint64_t{1} << 30;
constexpr uint64_t kDiskFail = uint64_t{256} << 20;
constexpr absl::Duration kCertificateWarn = absl::Hours(30 * 24);
constexpr size_t kSmallFileBytes = 1 << 20;

}  // namespace

void DoctorVisit::LookAtDirectory() {
  std::vector<std::string> secret = {data_.Path("keystore.json"),
                                     data_.Path("agent.toml")};
  if (config_->unlock == Unlock::kKeyFile)
    secret.push_back(data_.Resolve(config_->key_file));
  struct stat info = {};
  if (stat(data_.Path("").c_str(), &info) != 0 || (info.st_mode & 0077) != 0)
    return Fail("directory", "others may enter the data directory",
                "chmod 700 DIR");
  for (const std::string& path : secret) {
    if (stat(path.c_str(), &info) != 0)
      return Fail("directory", absl::StrCat(path, " is missing"),
                  "restore it from a copy; without the keystore nothing opens");
    if ((info.st_mode & 0077) != 0)
      return Fail("directory", absl::StrCat(path, " may be read by others"),
                  absl::StrCat("chmod 600 ", path));
  }
  if (const absl::Status there = CheckStore(data_); !there.ok())
    return Fail("directory", there);
  Ok("directory", "nobody else may enter it");
}

void DoctorVisit::LookAtDisk() {
  struct statvfs disk = {};
  if (statvfs(data_.Path("").c_str(), &disk) != 0)
    return Fail("disk", "the disk does not say how full it is", "");
  const uint64_t free = uint64_t{disk.f_bavail} * disk.f_frsize;
  const std::string text = absl::StrCat(free >> 20, " MiB free");
  if (free < kDiskFail)
    return Fail("disk", text, "make room: nothing can be stored");
  if (free < kDiskWarn) return Warn("disk", text, "make room soon");
  Ok("disk", text);
}

void DoctorVisit::LookAtKeystore() {
  if (config_->unlock == Unlock::kPrompt)
    return Ok("keystore", "asks for a passphrase at start; not opened now");
  auto secrets = data_.Unlock(*config_);
  if (!secrets.ok()) return Fail("keystore", secrets.status());
  secrets_ = *std::move(secrets);
  Ok("keystore", "opens");
}

void DoctorVisit::LookAtCertificate() {
  const auto pem = ReadFile(data_.Path("certificate.pem"), kSmallFileBytes);
  const auto end = pem.ok() ? CertificateEnd(*pem) : pem.status();
  const char* anew =
      "ask the broker's operator for an invitation, then "
      "amparo-agent reconnect INVITATION --data DIR";
  if (absl::IsNotFound(pem.status()))
    return Fail("certificate", data_.CheckJoined());
  if (!end.ok())
    return Fail("certificate", "certificate.pem cannot be read", anew);
  const auto is_of = [&](const Bytes& ca_der) {
    const auto ca = CertificatePem(ca_der);
    return ca.ok() && CheckIssuedBy(*pem, *ca).ok();
  };
  if (!is_of(network_->ca_der) &&
      !(network_->next_ca_der && is_of(*network_->next_ca_der)))
    return Fail("certificate", "certificate.pem is of no CA of this network",
                anew);
  if (secrets_ &&
      !CheckKeyOfCertificate(AsText(secrets_->tls_key_pem.Expose()), *pem).ok())
    return Fail("certificate", "certificate.pem is not of the keystore's key",
                "restore certificate.pem and keystore.json from one copy");
  if (network_->next_ca_der && !is_of(*network_->next_ca_der))
    return Warn("certificate", "of the CA that the network is leaving behind",
                "it is replaced within a minute while the agent runs and the "
                "broker answers; if not, see upkeep_failed in its journal");
  LookAtItsTime(*pem, anew);
}

std::string DoctorVisit::ByWhichClock(absl::Time from, absl::Time until) const {
  const auto holds = [&](absl::Time at) { return from <= at && at < until; };
  if (holds(now_)) return "";
  if (broker_time_ && holds(*broker_time_))
    return " by this machine's clock, but not by the broker's: see clock above";
  if (clock_error_) return " by this machine's clock: see clock above";
  return "";
}

void DoctorVisit::LookAtItsTime(const std::string& pem, const char* anew) {
  const auto from = CertificateStart(pem);
  const auto end = CertificateEnd(pem);
  if (!from.ok() || !end.ok())
    return Fail("certificate", "certificate.pem cannot be read", anew);
  const char* const clock_first = "set the clock, then ask the doctor again";
  const std::string which = ByWhichClock(*from, *end);
  if (now_ < *from) {
    const std::string begins =
        absl::StrCat("for the broker's port, begins at ", FormatUtc(*from));
    if (which.empty())
      return Fail("certificate", begins,
                  "compare this machine's clock with a third one; if it is "
                  "right, so is not the broker's: tell its operator");
    return Warn("certificate", absl::StrCat(begins, ": yet to come", which),
                clock_first);
  }
  const std::string text =
      absl::StrCat("for the broker's port, until ", FormatUtc(*end));
  if (*end <= now_ && !which.empty())
    return Warn("certificate", absl::StrCat(text, ": over", which),
                clock_first);
  if (*end <= now_) return Fail("certificate", text, anew);
  if (*end <= now_ + kCertificateWarn)
    return Warn("certificate", text,
                "it renews itself while the agent runs and the broker answers");
  Ok("certificate", text);
}

}  // namespace amparo::agent

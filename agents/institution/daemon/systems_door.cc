#include "agents/institution/daemon/systems_door.h"

#include <cstdio>
#include <utility>

#include "absl/strings/ascii.h"
#include "agents/institution/daemon/api_certificate.h"
#include "base/event_log.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/network/host_port.h"

namespace amparo::agent {
namespace {

constexpr size_t kAddressBytesMax = 512;
constexpr absl::Duration kRenewBefore = absl::Hours(30 * 24);
constexpr absl::Duration kLookEvery = absl::Hours(1);
constexpr absl::Duration kGrace = absl::Seconds(5);

std::string AddressFile(const DataDir& data) { return data.Path("api.addr"); }

}  // namespace

absl::StatusOr<std::unique_ptr<SystemsDoor>> SystemsDoor::Open(
    const DataDir& data, const AgentConfig& config, KeyValue& kv,
    const ApiParts& parts, const Clock& clock) {
  if (config.tls_listen.empty()) {
    std::remove(AddressFile(data).c_str());
    return nullptr;
  }
  std::unique_ptr<SystemsDoor> door(
      new SystemsDoor(data, config, kv, parts, clock));
  const auto last = ReadFile(AddressFile(data), kAddressBytesMax);
  const std::string kept = KeptAddress(
      config.tls_listen,
      last.ok() ? std::string(absl::StripAsciiWhitespace(*last)) : "");
  MutexLock lock(door->mutex_);
  absl::Status opened = door->OpenAt(kept);
  if (!opened.ok() && kept != config.tls_listen)
    opened = door->OpenAt(config.tls_listen);
  RETURN_IF_ERROR(opened);
  door->loop_ = std::make_unique<Loop>([raw = door.get()] {
    if (const absl::Status done = raw->Keep(); !done.ok())
      LogEvent(EventLevel::kError, "api_certificate_renewal_failed",
               {{"status_code", static_cast<int>(done.code())}});
    return kLookEvery;
  });
  return door;
}

absl::Status SystemsDoor::OpenAt(const std::string& address) {
  ASSIGN_OR_RETURN(const ApiCertificate certificate,
                   MakeApiCertificate(config_, kv_, clock_));
  ASSIGN_OR_RETURN(end_, CertificateEnd(certificate.identity.certificate_pem));
  RETURN_IF_ERROR(WriteFile(data_.Path("api-ca.pem"), certificate.ca_pem,
                            FileMode::kPublic));
  ASSIGN_OR_RETURN(port_,
                   SystemsPort::Listen(address, certificate.identity, parts_));
  return WriteFile(AddressFile(data_),
                   FillPort(config_.tls_listen, port_->port()) + "\n",
                   FileMode::kPublic);
}

absl::Status SystemsDoor::Keep() {
  MutexLock lock(mutex_);
  if (is_shut_ || (port_ && clock_.Now() + kRenewBefore < end_))
    return absl::OkStatus();
  std::string address = config_.tls_listen;
  if (const auto last = ReadFile(AddressFile(data_), kAddressBytesMax);
      last.ok())
    address =
        KeptAddress(address, std::string(absl::StripAsciiWhitespace(*last)));
  if (port_) port_->Shutdown(kGrace);
  port_.reset();  // two servers cannot have one place
  RETURN_IF_ERROR(OpenAt(address));
  LogEvent("api_certificate_renewed");
  return absl::OkStatus();
}

absl::Time SystemsDoor::certificate_end() const {
  MutexLock lock(mutex_);
  return end_;
}

int SystemsDoor::port() const {
  MutexLock lock(mutex_);
  return port_ ? port_->port() : 0;
}

void SystemsDoor::Shutdown(absl::Duration grace) {
  loop_->Stop();
  MutexLock lock(mutex_);
  is_shut_ = true;
  if (port_) port_->Shutdown(grace);
}

}  // namespace amparo::agent

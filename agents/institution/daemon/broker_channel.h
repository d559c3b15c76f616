#pragma once

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "base/clock.h"
#include "crypto/secret.h"
#include "proto/network/member.h"

namespace amparo::agent {

// By what this agent is known at the broker's port, and the way there. The
// certificate renews itself when two thirds of its life are over, for the same
// key: in the file first, whole or not at all, then on a new channel. One
// thread at a time.
class BrokerChannel {
 public:
  struct Parts {
    std::string address;  // of the members' port
    std::string network;
    MemberId member;
    std::string ca_pem;  // of the network
    SecretBuffer key_pem;
    std::string certificate_file;  // replaced when it renews
    absl::Duration keepalive;
  };
  explicit BrokerChannel(Parts parts) : parts_(std::move(parts)) {}

  // A channel with the certificate that is in the file.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Open() const;

  // Asks for a new certificate, when it is time; what it gets must be for this
  // member and key, of this network's authority, and end later. Alarm
  // "certificate_ends" when 30 days or less are left.
  struct Broker {
    std::function<absl::StatusOr<std::string>(absl::string_view csr)> renew;
    std::function<void(std::shared_ptr<grpc::Channel>)> use;
  };
  absl::Status Renew(const Broker& broker, Alarms& alarms, const Clock& clock);

 private:
  absl::Status CheckRenewed(const std::string& renewed, absl::Time end) const;

  const Parts parts_;
  absl::Time next_try_ = absl::InfinitePast();
};

}  // namespace amparo::agent

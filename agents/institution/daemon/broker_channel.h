#pragma once

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "base/clock.h"
#include "crypto/note.h"
#include "crypto/secret.h"
#include "proto/network/member.h"
#include "proto/network/network_file.h"

namespace amparo::agent {

// By what this agent and the broker know each other, and the way there. The
// agent follows the network's CA as it changes, and its own certificate renews
// itself when two thirds of its life are over or its CA is going: for the same
// key, in the files first, each whole or not at all, then on a new channel. One
// thread at a time.
class BrokerChannel {
 public:
  struct Parts {
    std::string address;  // of the members' port
    std::string network;
    MemberId member;
    SecretBuffer key_pem;
    std::string network_file;      // its CAs are trusted; rewritten with them
    std::string certificate_file;  // replaced when it renews
    absl::Duration keepalive;
  };
  explicit BrokerChannel(Parts parts) : parts_(std::move(parts)) {}

  // A channel by what is in the files now.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Open();

  struct Broker {
    // What it says of the network's CA (CaNote), and by which keys it may.
    std::function<absl::StatusOr<std::string>()> ca_note;
    std::function<std::vector<NoteVerifier>()> log_keys;
    std::function<absl::StatusOr<std::string>(absl::string_view csr)> renew;
    std::function<void(std::shared_ptr<grpc::Channel>)> use;
  };
  // Does what is due. A CA is taken from a note by the log's key only; a new
  // certificate must be for this member and key, of the newest CA, and end
  // later. Also goes on with files that somebody else replaced. Alarms
  // "certificate_ends" when 30 days or less are left, "broker_ca" while who
  // answers is of no CA that this agent trusts, or refuses a certificate that
  // is not of the newest.
  absl::Status Maintain(const Broker& broker, Alarms& alarms,
                        const Clock& clock);

 private:
  absl::StatusOr<NetworkFile> ReadNetwork() const;
  // Whether the broker that answered so is of no CA that this agent trusts, or
  // takes this agent's certificate no more.
  bool IsShutOut(const absl::Status& refusal) const;
  absl::Status FollowCa(const Broker& broker, Alarms& alarms, absl::Time now);
  absl::Status Renew(const Broker& broker, Alarms& alarms, absl::Time now);

  const Parts parts_;
  std::string open_ca_, open_certificate_;  // of the last channel
  absl::Time next_ask_ = absl::InfinitePast();
  absl::Time next_try_ = absl::InfinitePast();
};

}  // namespace amparo::agent

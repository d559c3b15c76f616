#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "agents/institution/daemon/broker_channel.h"
#include "agents/institution/rpc/broker_client.h"
#include "base/error.h"
#include "base/files.h"
#include "base/kv/memory_kv.h"
#include "base/status.h"
#include "crypto/x509.h"
#include "proto/grpc/credentials.h"
#include "proto/network/certificate_request.h"
#include "tests/support/broker_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {

// The way of the agent ong to a real broker, whose other member is uls.
class AtTheBroker : public testing::Test {
 protected:
  AtTheBroker() {
    server_.SetUp({"ong", "uls"});
    network_id_ = server_.charter().network_id;
    WriteNetwork(server_.network_file());
    WriteCertificate(absl::Hours(24 * 100), absl::Hours(24));
    channel_ = std::make_unique<BrokerChannel>(BrokerChannel::Parts{
        .address = server_.members_address(),
        .network = server_.network(),
        .member = VALUE_OF(MemberId::Parse("ong")),
        .key_pem = server_.KeyOf("ong").private_key_pem.Copy(),
        .network_file = network_file_,
        .certificate_file = file_,
        .keepalive = absl::Seconds(20)});
    client_ = std::make_unique<BrokerClient>(VALUE_OF(channel_->Open()));
    clock_.Set(absl::Now());
  }

  // One for ong that began `age` ago and ends in `left`.
  void WriteCertificate(absl::Duration age, absl::Duration left) {
    const absl::Time now = absl::Now();
    EXPECT_OK(WriteFile(
        file_,
        VALUE_OF(IssueMemberCertificate(Ca(), CsrOf("ong"), server_.network(),
                                        "ong", now - age, now + left)),
        FileMode::kPublic));
  }
  TlsKeyPair Ca() {
    return std::move(
        VALUE_OF(server_.data().ReadCas(server_.network_file())).current);
  }
  std::string CsrOf(const std::string& member) {
    return VALUE_OF(MakeCsr({server_.KeyOf("ong").private_key_pem.Copy(), ""},
                            server_.network(), member));
  }
  std::string Present() { return VALUE_OF(ReadFile(file_, 1 << 20)); }

  void WriteNetwork(NetworkFile file) {
    file.founding_token.reset();
    EXPECT_OK(
        WriteFile(network_file_, FormatNetworkFile(file), FileMode::kPublic));
  }
  NetworkFile Network() {
    return VALUE_OF(
        ParseNetworkFile(VALUE_OF(ReadFile(network_file_, 1 << 20))));
  }
  std::string RequestFor(absl::string_view csr, absl::Time at = absl::Now()) {
    return SignCertificateRequest(
        {network_id_, server_.member("ong").id(), Sha256(AsBytes(csr)),
         TimeFromUnix(UnixSeconds(at))},
        server_.member("ong").identity());
  }

  absl::Status Maintain() {
    return channel_->Maintain(
        {[this] { return ca_lie_ ? ca_lie_() : client_->GetCa(); },
         [this] {
           return std::vector<NoteVerifier>{server_.network_file().log_key};
         },
         [this](absl::string_view csr) -> absl::StatusOr<std::string> {
           ++asked_;
           return lie_ ? lie_(csr)
                       : client_->RenewCertificate(csr, RequestFor(csr));
         },
         [this](std::shared_ptr<grpc::Channel> channel) {
           client_->UseChannel(std::move(channel));
         }},
        *alarms_, clock_);
  }
  void ExpectRefused(std::function<std::string(absl::string_view csr)> lie) {
    lie_ = std::move(lie);
    const std::string before = Present();
    EXPECT_EQ(ErrorCodeOf(Maintain()), "verification_failed");
    EXPECT_EQ(Present(), before);
    clock_.Advance(absl::Hours(2));  // it may ask again
  }
  // Long enough for everything that is paced.
  absl::Status MaintainLater() {
    clock_.Advance(absl::Minutes(1));
    return Maintain();
  }
  // On a new connection, as after a restart.
  absl::StatusOr<std::unique_ptr<BrokerClient>> MakeClientOnNewChannel() {
    ASSIGN_OR_RETURN(auto channel, channel_->Open());
    return std::make_unique<BrokerClient>(std::move(channel));
  }
  bool Rings() { return alarms_->Has("certificate_ends", std::nullopt); }

  broker::BrokerServer server_;
  Digest network_id_;
  ScratchFolder folder_;
  const std::string network_file_ = folder_ / "network.json";
  const std::string file_ = folder_ / "certificate.pem";
  MemoryKv kv_;
  std::unique_ptr<Alarms> alarms_ = VALUE_OF(Alarms::Open(kv_));
  FakeClock clock_;
  std::unique_ptr<BrokerChannel> channel_;
  std::unique_ptr<BrokerClient> client_;
  std::function<std::string(absl::string_view csr)> lie_;
  std::function<absl::StatusOr<std::string>()> ca_lie_;
  int asked_ = 0;
};

}  // namespace amparo::agent

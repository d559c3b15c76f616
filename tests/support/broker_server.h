#pragma once

#include <grpcpp/channel.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/daemon/broker.h"
#include "broker/daemon/data_dir.h"
#include "crypto/x509.h"
#include "proto/envelope/envelope.h"
#include "proto/grpc/enrolment_client.h"
#include "proto/network/charter.h"
#include "proto/network/invitation.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/test_charter.h"
#include "tests/support/test_member.h"

namespace amparo::broker {

// A whole broker in this process: founded in a folder of its own, RocksDB,
// both ports on loopback with TLS, the system's clock. Failures throw. One
// thread at a time.
class BrokerServer {
 public:
  // Lines of broker.toml to put in place of those that init writes.
  using Settings = std::vector<std::pair<std::string, std::string>>;
  // Runs, without a charter.
  explicit BrokerServer(const Settings& settings = {});
  ~BrokerServer();

  // --- The broker.
  const DataDir& data() const { return data_; }
  NetworkFile network_file() const;
  const std::string& network() const { return network_; }
  std::string members_address() const { return broker_->members_address(); }
  std::string enrol_address() const { return broker_->enrol_address(); }
  void Stop();
  // Again, on the same folder and ports.
  void Start();
  bool IsRunning() const { return broker_ != nullptr; }

  // --- The committee.
  // Version 1 with `members` invited: victim_support, but "auditor..." and
  // what `kinds` says.
  void Found(const std::vector<std::string>& members,
             const std::map<std::string, MemberKind>& kinds = {});
  const TestCommittee& committee() const { return committee_; }
  AcceptedCharter charter() const;  // the newest
  Charter NextDraft() const;
  absl::Status Publish(const std::string& document, ByteView token = {});
  void SetStatus(absl::string_view name, MemberStatus status);
  // The next charter, with the members whose join requests the broker holds
  // active under the keys they ask for: what the committee does after it has
  // compared the words.
  void AdmitWhoJoined();
  EnrolmentClient Enrolment() const;

  // --- Members.
  Invitation Invite(absl::string_view name, bool new_identity = false);
  TestMember& member(absl::string_view name);
  // `name` as a TestMember: joins with its invitation. Its TLS key pair.
  const TlsKeyPair& Join(absl::string_view name);
  // Founds with `members`, who all join, are admitted and publish their keys.
  void SetUp(const std::vector<std::string>& members);

  // A channel to the members' port with the certificate that `name` joined
  // with, or with any key pair, or with none.
  std::shared_ptr<grpc::Channel> ChannelOf(absl::string_view name);
  std::shared_ptr<grpc::Channel> ChannelWith(const TlsKeyPair* key);
  // What `name` joined with.
  const TlsKeyPair& KeyOf(absl::string_view name) const;
  std::string ca_pem() const;
  // CertificateRequest by the member's identity, of now.
  std::string RequestFor(const TestMember& member, absl::string_view csr) const;

  Envelope EnvelopeFrom(absl::string_view sender, absl::string_view recipient);

 private:
  const ScratchFolder folder_;
  const std::string network_ = "test-network";
  const DataDir data_;
  const TestCommittee committee_;
  std::unique_ptr<Broker> broker_;
  std::deque<TestMember> members_;
  std::map<std::string, TlsKeyPair, std::less<>> tls_;
};

}  // namespace amparo::broker

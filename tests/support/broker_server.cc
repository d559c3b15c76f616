#include "tests/support/broker_server.h"

#include <algorithm>
#include <stdexcept>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "amparo/v1/broker.grpc.pb.h"
#include "base/clock.h"
#include "base/files.h"
#include "broker/daemon/commands.h"
#include "broker/daemon/founding.h"
#include "proto/grpc/credentials.h"
#include "proto/network/certificate_request.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

constexpr char kAnyPort[] = "127.0.0.1:0";

void MustBeOk(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

void ApplySettings(const DataDir& data,
                   const BrokerServer::Settings& settings) {
  std::string text = VALUE_OF(ReadFile(data.config(), 1 << 16));
  for (const auto& [line, with] : settings) {
    if (!absl::StrContains(text, line))
      throw std::runtime_error("broker.toml has no line " + line);
    text = absl::StrReplaceAll(text, {{line, with}});
  }
  MustBeOk(WriteFile(data.config(), text, FileMode::kPrivate));
}

std::string Pem(const TlsKeyPair& key) {
  return ToText(key.private_key_pem.Expose());
}

}  // namespace

BrokerServer::BrokerServer(const Settings& settings) : data_(folder_ / "data") {
  MustBeOk(AllowOnlyTls13());
  VALUE_OF(amparo::broker::Found(
      data_, {network_, {kAnyPort, kAnyPort}, {kAnyPort, kAnyPort}},
      SystemClock()));
  // Tests wait for checkpoints.
  ApplySettings(data_, {{"checkpoint_interval_ms = 1000",
                         "checkpoint_interval_ms = 10"}});
  ApplySettings(data_, settings);
  Start();
}

BrokerServer::~BrokerServer() { Stop(); }

NetworkFile BrokerServer::network_file() const {
  return VALUE_OF(data_.ReadNetworkFile());
}

void BrokerServer::Stop() {
  if (broker_ != nullptr) broker_->Drain(absl::Seconds(5));
  broker_.reset();
}

void BrokerServer::Start() {
  broker_ = VALUE_OF(
      Broker::Start(data_, VALUE_OF(data_.ReadConfig()), SystemClock()));
}

void BrokerServer::Found(const std::vector<std::string>& names,
                         const std::map<std::string, MemberKind>& kinds) {
  std::vector<Member> invited;
  for (const std::string& name : names) {
    const auto kind = kinds.find(name);
    members_.emplace_back(name, kind != kinds.end() ? kind->second
                                : absl::StartsWith(name, "auditor")
                                    ? MemberKind::kAuditor
                                    : MemberKind::kVictimSupport);
    invited.push_back(members_.back().AsActive(absl::Now()));
    invited.back().status = MemberStatus::kInvited;
    invited.back().identity_key.reset();
    invited.back().since = TimeFromUnix(UnixSeconds(absl::Now()));
  }
  const NetworkFile file = network_file();
  const Charter first =
      committee_.Draft(network_, file.log_key, std::move(invited),
                       TimeFromUnix(UnixSeconds(absl::Now())));
  MustBeOk(Publish(committee_.Sign(first), *file.founding_token));
}

AcceptedCharter BrokerServer::charter() const {
  const EnrolmentClient client = Enrolment();
  const std::string first = VALUE_OF(client.GetCharter(1));
  return VALUE_OF(client.GetCharterChain(Sha256(first)));
}

Charter BrokerServer::NextDraft() const {
  return committee_.Successor(charter());
}

absl::Status BrokerServer::Publish(const std::string& document,
                                   ByteView token) {
  return Enrolment().PublishCharter(document, token);
}

void BrokerServer::SetStatus(absl::string_view name, MemberStatus status) {
  Charter next = NextDraft();
  for (Member& one : next.members)
    if (one.id.text() == name) one.status = status;
  MustBeOk(Publish(committee_.Sign(next)));
}

void BrokerServer::AdmitWhoJoined() {
  Charter next = NextDraft();
  for (Member& one : next.members) {
    const auto document = Enrolment().GetJoinRequest(one.id);
    if (absl::IsNotFound(document.status())) continue;
    const JoinRequest request = VALUE_OF(VerifyJoinRequest(VALUE_OF(document)));
    one.status = MemberStatus::kActive;
    one.identity_key = request.identity_key;
  }
  MustBeOk(Publish(committee_.Sign(next)));
}

EnrolmentClient BrokerServer::Enrolment() const {
  return VALUE_OF(
      EnrolmentClient::Connect(enrol_address(), network_file().ca_der));
}

Invitation BrokerServer::Invite(absl::string_view name, bool new_identity) {
  const Answer answer = VALUE_OF(amparo::broker::Invite(
      data_, std::string(name), SystemClock(), new_identity));
  return VALUE_OF(
      ParseInvitation(answer.json["invitation"].get<std::string>()));
}

TestMember& BrokerServer::member(absl::string_view name) {
  for (TestMember& one : members_)
    if (one.id().text() == name) return one;
  throw std::runtime_error(absl::StrCat("no member ", name));
}

const TlsKeyPair& BrokerServer::Join(absl::string_view name) {
  const TestMember& joining = member(name);
  TlsKeyPair key = VALUE_OF(MakeTlsKey());
  const std::string request = SignJoinRequest(
      {charter().network_id, joining.id(), joining.identity().verify_key(),
       SigningKey::Generate().verify_key(),
       TimeFromUnix(UnixSeconds(absl::Now()))},
      joining.identity());
  const std::string csr = VALUE_OF(MakeCsr(key, network_, name));
  key.certificate_pem = VALUE_OF(Enrolment().Join(Invite(name), csr, request,
                                                  RequestFor(joining, csr)))
                            .certificate_pem;
  return tls_.insert_or_assign(std::string(name), std::move(key)).first->second;
}

void BrokerServer::SetUp(const std::vector<std::string>& names) {
  Found(names);
  for (const std::string& name : names) Join(name);
  AdmitWhoJoined();
  const AcceptedCharter current = charter();
  for (TestMember& one : members_) {
    if (!HasMailbox(one.kind())) continue;
    v1::RelayService::Stub relay(ChannelOf(one.id().text()));
    for (const std::string& document : {one.NewSigningKey(current, absl::Now()),
                                        one.NewPrekey(current, absl::Now())}) {
      grpc::ClientContext context;
      v1::PublishKeyEventRequest request;
      request.set_document(document);
      v1::PublishKeyEventResponse response;
      const grpc::Status status =
          relay.PublishKeyEvent(&context, request, &response);
      if (!status.ok()) throw std::runtime_error(status.error_message());
    }
  }
}

std::shared_ptr<grpc::Channel> BrokerServer::ChannelOf(absl::string_view name) {
  return ChannelWith(&KeyOf(name));
}

const TlsKeyPair& BrokerServer::KeyOf(absl::string_view name) const {
  return tls_.find(std::string(name))->second;
}

std::shared_ptr<grpc::Channel> BrokerServer::ChannelWith(
    const TlsKeyPair* key) {
  ClientTls tls{ca_pem(), "", ""};
  if (key != nullptr) {
    tls.key = Pem(*key);
    tls.certificate = key->certificate_pem;
  }
  return MakeChannel(members_address(), MakeClientCredentials(tls), 8 << 20);
}

std::string BrokerServer::RequestFor(const TestMember& member,
                                     absl::string_view csr) const {
  return SignCertificateRequest(
      {charter().network_id, member.id(), Sha256(AsBytes(csr)),
       TimeFromUnix(UnixSeconds(absl::Now()))},
      member.identity());
}

std::string BrokerServer::ca_pem() const {
  return VALUE_OF(CertificatePem(network_file().ca_der));
}

Envelope BrokerServer::EnvelopeFrom(absl::string_view sender,
                                    absl::string_view recipient) {
  return member(sender).EnvelopeTo(member(recipient), charter(), absl::Now());
}

}  // namespace amparo::broker

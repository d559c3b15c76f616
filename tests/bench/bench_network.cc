#include "tests/bench/bench_network.h"

#include <filesystem>
#include <stdexcept>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files.h"
#include "broker/daemon/listen_file.h"
#include "proto/grpc/credentials.h"
#include "proto/network/witnesses.h"
#include "tests/support/relay_client.h"
#include "tests/support/status_matchers.h"

namespace amparo::bench {
namespace {

constexpr size_t kPayloadBytes = 4000;  // padded to 4,096
constexpr int kMessageBytesMax = 2 << 20;

// Founds with the program's own core in this process, which then goes away.
// The limits of one member would be what is measured otherwise.
broker::BrokerServer::Settings Unlimited() {
  return {{"member_rate_per_s = 500", "member_rate_per_s = 1000000"},
          {"mailbox_messages_max = 100000", "mailbox_messages_max = 100000000"},
          {"checkpoint_interval_ms = 10", "checkpoint_interval_ms = 1000"}};
}

std::string WitnessId(size_t i) { return absl::StrCat("witness-", i); }

std::vector<SigningKey> NewKeys(size_t count) {
  std::vector<SigningKey> keys;
  for (size_t i = 0; i < count; ++i) keys.push_back(SigningKey::Generate());
  return keys;
}

// The members' keys are in the log before the charter that asks for a quorum:
// they stay in use.
AcceptedCharter SetUp(broker::BrokerServer& server,
                      const std::vector<SigningKey>& witnesses) {
  std::vector<std::string> members = {"ong", "uls"};
  for (size_t i = 0; i < witnesses.size(); ++i) members.push_back(WitnessId(i));
  server.SetUp(members);
  if (witnesses.empty()) return server.charter();
  Charter next = server.NextDraft();
  for (size_t i = 0; i < witnesses.size(); ++i)
    for (Member& member : next.members)
      if (member.id.text() == WitnessId(i))
        member.witness_key = witnesses[i].verify_key();
  const auto count = static_cast<uint32_t>(witnesses.size());
  next.witness_quorum = (count + (count - 1) / 4) / 2 + 1;
  const absl::Status published = server.Publish(server.committee().Sign(next));
  if (!published.ok()) throw std::runtime_error(published.ToString());
  return server.charter();
}

}  // namespace

BenchNetwork::BenchNetwork(size_t witnesses)
    : server_(Unlimited()),
      ca_pem_(server_.ca_pem()),
      witness_keys_(NewKeys(witnesses)),
      charter_(SetUp(server_, witness_keys_)) {
  server_.Stop();
}

std::string BenchNetwork::NewPath(const std::string& stem) {
  return folder_ / absl::StrCat(stem, "-", ++paths_);
}

std::vector<v1::SubmitRequest> BenchNetwork::NewRequests(size_t count) {
  std::vector<v1::SubmitRequest> requests(count);
  for (v1::SubmitRequest& request : requests)
    *request.mutable_envelope() =
        RelayClient::ToProto(server_.member("ong").EnvelopeTo(
            server_.member("uls"), charter_, absl::Now(), kPayloadBytes));
  return requests;
}

const VerifyKey& BenchNetwork::sender_key() {
  return server_.member("ong").signing().verify_key();
}

BenchNetwork::Served BenchNetwork::RunBroker(const std::string& program) {
  const std::string output = NewPath("broker");
  std::filesystem::create_directory(output);
  auto process = std::make_unique<ChildProcess>(
      std::vector<std::string>{program, "run", "--data", data()}, output);
  const Finished status =
      RunToEnd({program, "status", "--wait-s", "60", "--data", data()});
  if (status.exit != 0) throw std::runtime_error(process->Stderr());
  const broker::ListenFile where = VALUE_OF(broker::ParseListenFile(
      VALUE_OF(ReadFile(server_.data().listen_file(), 1 << 16))));
  return {std::move(process), where.listen.members};
}

BenchNetwork::Served BenchNetwork::RunBound(
    const std::vector<std::string>& arguments) {
  const std::string output = NewPath("bound");
  std::filesystem::create_directory(output);
  auto process = std::make_unique<ChildProcess>(arguments, output);
  for (int tries = 0; tries < 1000; ++tries) {
    absl::SleepFor(absl::Milliseconds(10));
    int port = 0;
    if (absl::SimpleAtoi(process->Stdout(), &port))
      return {std::move(process), absl::StrCat("127.0.0.1:", port)};
  }
  throw std::runtime_error(process->Stderr());
}

std::shared_ptr<grpc::Channel> BenchNetwork::ChannelTo(
    const std::string& address, const std::string& member) {
  const TlsKeyPair& key = server_.KeyOf(member);
  return MakeChannel(
      address,
      MakeClientCredentials(
          {ca_pem_, ToText(key.private_key_pem.Expose()), key.certificate_pem}),
      kMessageBytesMax);
}

std::vector<WitnessSeat> BenchNetwork::WitnessesAt(const std::string& address) {
  std::vector<WitnessSeat> seats;
  for (size_t i = 0; i < witness_keys_.size(); ++i)
    seats.push_back({WitnessName(charter_.charter.network,
                                 server_.member(WitnessId(i)).id()),
                     witness_keys_[i], ChannelTo(address, WitnessId(i))});
  return seats;
}

}  // namespace amparo::bench

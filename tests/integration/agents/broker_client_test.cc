#include "agents/institution/rpc/broker_client.h"

#include <grpcpp/security/credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/log_watch.h"
#include "base/kv/memory_kv.h"
#include "crypto/checkpoint.h"
#include "proto/grpc/credentials.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

// An agent's client against a broker over gRPC that sends too much, sends
// without end, or stops in the middle. It neither keeps what is too large nor
// keeps the agent from going down.

namespace amparo::agent {
namespace {

constexpr int kMessageBytesMax = 4 << 20;  // as the agent's channel has it

class RudeLog final : public v1::LogService::Service {
 public:
  grpc::Status GetCheckpoint(grpc::ServerContext* context,
                             const v1::GetCheckpointRequest*,
                             v1::CheckpointResponse* response) override {
    Silence(*context);
    response->set_note(answer);
    return grpc::Status::OK;
  }
  grpc::Status GetDocument(grpc::ServerContext* context,
                           const v1::GetDocumentRequest*,
                           v1::DocumentResponse* response) override {
    Silence(*context);
    response->set_document(answer);
    return grpc::Status::OK;
  }
  grpc::Status GetEntries(grpc::ServerContext* context,
                          const v1::GetEntriesRequest*,
                          v1::EntriesResponse* response) override {
    Silence(*context);
    ++pages;
    response->add_entries(answer);
    return grpc::Status::OK;
  }
  grpc::Status WatchCheckpoints(
      grpc::ServerContext* context, const v1::WatchCheckpointsRequest*,
      grpc::ServerWriter<v1::CheckpointResponse>* writer) override {
    v1::CheckpointResponse response;
    response.set_note(answer);
    writer->Write(response);
    Silence(*context);
    return grpc::Status::OK;
  }

  std::string answer;
  std::atomic<bool> silent = false;
  std::atomic<int> waiting = 0;  // calls that get no answer
  std::atomic<int> pages = 0;

 private:
  // Says nothing until whoever asked gives up.
  void Silence(grpc::ServerContext& context) {
    if (!silent) return;
    ++waiting;
    while (!context.IsCancelled()) std::this_thread::yield();
  }
};

class RudeBroker : public testing::Test {
 protected:
  RudeBroker() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&log_);
    server_ = builder.BuildAndStart();
    client_ = std::make_unique<BrokerClient>(
        MakeChannel(absl::StrCat("127.0.0.1:", port),
                    grpc::InsecureChannelCredentials(), kMessageBytesMax));
  }
  ~RudeBroker() override { server_->Shutdown(); }

  // `call` waits for its answer when the agent goes down.
  void ExpectEndsAtStop(const std::function<absl::Status()>& call) {
    log_.silent = true;
    absl::Status ended;
    std::thread caller([&] { ended = call(); });
    while (log_.waiting == 0) std::this_thread::yield();
    client_->StopStreams();
    caller.join();
    EXPECT_THAT(ended, StatusIs(absl::StatusCode::kCancelled));
  }

  RudeLog log_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<BrokerClient> client_;
};

TEST_F(RudeBroker, AnAnswerBeyondTheLimitIsRefusedUnread) {
  log_.answer = std::string(kMessageBytesMax + 1, 'x');
  const auto refused = StatusIs(absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(client_->GetEntries(LeafIndex(0), 1).status(), refused);
  EXPECT_THAT(client_->GetDocument(Digest()).status(), refused);
  EXPECT_THAT(client_->GetCheckpoint().status(), refused);
  int visits = 0;
  EXPECT_THAT(client_->WatchCheckpoints(
                  [&](const ShownCheckpoint&) { return ++visits > 0; }),
              refused);
  EXPECT_EQ(visits, 0);
  // The same connection goes on.
  log_.answer = "small";
  EXPECT_EQ(VALUE_OF(client_->GetCheckpoint()), "small");
}

TEST_F(RudeBroker, ACallWithoutAnswerEndsWhenTheAgentGoesDown) {
  ExpectEndsAtStop([&] { return client_->GetDocument(Digest()).status(); });
  // Nor does another one begin.
  log_.silent = false;
  EXPECT_THAT(client_->GetCheckpoint().status(),
              StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(RudeBroker, AStreamThatFallsSilentEndsWhenTheAgentGoesDown) {
  log_.answer = "note";
  ExpectEndsAtStop([&] {
    return client_->WatchCheckpoints(
        [](const ShownCheckpoint&) { return true; });
  });
}

TEST_F(RudeBroker, ALogWithoutEndDoesNotKeepTheAgentFromGoingDown) {
  broker::BrokerFixture network({"ong", "uls"});
  MemoryKv kv;
  const std::string first =
      VALUE_OF(network.store().Publications(0, 1))[0].document;
  const auto peers = VALUE_OF(PeerBook::Open(
      kv, VALUE_OF(AcceptFirstCharter(first, Sha256(first), std::nullopt))));
  const auto alarms = VALUE_OF(Alarms::Open(kv));
  const auto watch =
      VALUE_OF(LogWatch::Open(kv, *peers, *client_, *alarms, network.clock()));
  // One entry a page, of the 2^40 that the broker signed for.
  log_.answer = ToText(EncodeLogEntry(
      {network.clock().Now(), CommitmentEntry{Sha256("one of many")}}));
  const std::string note = VALUE_OF(SignCheckpoint(
      {network.network(), TreeSize(uint64_t{1} << 40), Sha256("a root"), {}},
      network.log_key()));
  absl::Status followed;
  std::thread follower([&] { followed = watch->Follow(note); });
  while (log_.pages < 20) std::this_thread::yield();
  client_->StopStreams();
  follower.join();
  EXPECT_THAT(followed, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(watch->size(), TreeSize(0));  // nothing of it was believed
}

}  // namespace
}  // namespace amparo::agent

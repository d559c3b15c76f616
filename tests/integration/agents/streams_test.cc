#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "agents/institution/daemon/broker_streams.h"
#include "tests/support/agent_world.h"
#include "tests/support/status_matchers.h"

// The daemon's streams: what the rest of the agent may do with a broker, from
// the first word of a connection on.

namespace amparo::agent {
namespace {

absl::Status NotHere() { return absl::UnavailableError("not here"); }

// Connections to a broker, each as the test says; then none.
class ScriptedBroker final : public BrokerPort {
 public:
  using Visit = std::function<bool(const ShownCheckpoint&)>;
  using Connection = std::function<void(const Visit&)>;

  explicit ScriptedBroker(std::vector<Connection> connections)
      : connections_(std::move(connections)) {}
  void WaitUntilAllEnded() { ended_.get_future().wait(); }

  absl::Status WatchCheckpoints(const Visit& visit) override {
    if (next_ < connections_.size()) {
      connections_[next_++](visit);
    } else if (next_ == connections_.size()) {
      ++next_;
      ended_.set_value();
    }
    return NotHere();
  }
  absl::Status Subscribe(std::optional<LeafIndex>,
                         const std::function<bool(MailboxItem)>&) override {
    return NotHere();
  }
  void StopStreams() override {}

  absl::StatusOr<LeafReceipt> Submit(const Envelope&) override {
    return NotHere();
  }
  absl::StatusOr<LeafReceipt> Acknowledge(absl::string_view) override {
    return NotHere();
  }
  absl::StatusOr<LeafReceipt> Recall(absl::string_view) override {
    return NotHere();
  }
  absl::StatusOr<LeafReceipt> LogAnchor(const SignedAnchor&) override {
    return NotHere();
  }
  absl::StatusOr<LeafReceipt> LogAccessCheckpoint(absl::string_view) override {
    return NotHere();
  }
  absl::StatusOr<LeafReceipt> LogErasure(absl::string_view) override {
    return NotHere();
  }
  absl::StatusOr<LeafIndex> PublishKeyEvent(absl::string_view) override {
    return NotHere();
  }
  absl::StatusOr<TreeSize> DrainedTo(std::optional<LeafIndex>) override {
    return NotHere();
  }
  absl::StatusOr<std::vector<Bytes>> GetEntries(LeafIndex, uint32_t) override {
    return NotHere();
  }
  absl::StatusOr<std::string> GetDocument(const Digest&) override {
    return NotHere();
  }
  absl::StatusOr<std::string> GetCheckpoint() override { return NotHere(); }
  absl::StatusOr<std::string> GetCharterCheckpoint(uint64_t) override {
    return NotHere();
  }
  absl::Status AddCosignature(TreeSize, ByteView) override { return NotHere(); }

 private:
  const std::vector<Connection> connections_;
  size_t next_ = 0;  // of the log loop's thread
  std::promise<void> ended_;
};

class Streams : public testing::Test {
 protected:
  // Runs the connections, one after the other, and nothing after them.
  void Run(std::vector<ScriptedBroker::Connection> connections) {
    ScriptedBroker broker(std::move(connections));
    BrokerStreams streams(
        {broker, agent_.log(), agent_.intake(), agent_.time(), nullptr,
         agent_.peers(), world_.clock(), absl::Milliseconds(1),
         absl::Milliseconds(2),
         [this] { may_give_when_woken_ = agent_.log().MayGive(); }});
    broker.WaitUntilAllEnded();
    streams.Stop();
  }

  AgentWorld world_;
  TestAgent& agent_ = world_.agent("ong");
  std::optional<bool> may_give_when_woken_;
};

// A broker that was put back answers on the next connection: who waits to send
// is woken when its log was followed, and not before.
TEST_F(Streams, GiveNothingBeforeAConnectionsLogIsFollowed) {
  const ShownCheckpoint old = world_.Shown();
  world_.Settle();
  world_.clock().Advance(absl::Hours(2));
  world_.RequireQuorum(0);  // one entry more
  const ShownCheckpoint now = world_.Shown();
  ASSERT_NE(old.note, now.note);
  std::vector<bool> may_give;
  const auto look = [&] { may_give.push_back(agent_.log().MayGive()); };
  Run({[&](const auto& visit) {
         look();
         EXPECT_TRUE(visit(now));
         look();
       },
       [&](const auto&) { look(); },
       [&](const auto& visit) {
         look();
         EXPECT_FALSE(visit(old));
         look();
       }});
  EXPECT_EQ(may_give, (std::vector<bool>{false, true, false, false, false}));
  EXPECT_EQ(may_give_when_woken_, true);
  EXPECT_TRUE(agent_.log().is_contradicted());
  EXPECT_FALSE(agent_.log().MayGive());
}

// A member that joined or came back after a rebuild has no key to send with:
// it follows on all the same, or it would never have one.
TEST_F(Streams, FollowOnAfterARebuildWithoutASigningKey) {
  agent_.Restore(agent_.Backup());
  ASSERT_FALSE(agent_.keys().Signer().ok());
  ShownCheckpoint rebuilt = world_.Shown();
  rebuilt.rebuilt_to = agent_.log().size();
  bool went_on = false;
  Run({[&](const auto& visit) { went_on = visit(rebuilt); }});
  EXPECT_TRUE(went_on);
}

}  // namespace
}  // namespace amparo::agent

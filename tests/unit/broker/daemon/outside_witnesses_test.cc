#include "broker/daemon/outside_witnesses.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "absl/strings/str_cat.h"
#include "crypto/add_checkpoint.h"
#include "crypto/checkpoint.h"
#include "crypto/tlog_witness.h"
#include "proto/http/http_port.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

// A witness that serves: honest, and remembers nothing on disk.
class ServingWitness {
 public:
  ServingWitness(std::string name, const NoteVerifier& log)
      : name_(std::move(name)) {
    memory_.emplace(log.name(), VALUE_OF(RememberLog({log}, "")));
    port_ = VALUE_OF(HttpPort::Open(
        "127.0.0.1:0", "listen", {.body_bytes_max = kAddCheckpointBytesMax},
        [](absl::string_view) { return HttpAnswer(); },
        [this](absl::string_view path, absl::string_view body) {
          EXPECT_EQ(path, "/prefix/add-checkpoint");
          return Answer(body);
        }));
  }
  NoteVerifier verifier() const {
    return VALUE_OF(NoteVerifier::Create(name_, NoteKeyType::kCosignatureV1,
                                         key_.verify_key()));
  }
  OutsideAddress address() const {
    return {name_, absl::StrCat("http://", port_->address(), "/prefix")};
  }

 private:
  HttpAnswer Answer(absl::string_view body) {
    const WitnessVerdict verdict = JudgeAddCheckpoint(memory_, body);
    if (verdict.status != 200)
      return {.status = verdict.status, .body = verdict.says};
    memory_.at(verdict.origin).note = verdict.note;
    memory_.at(verdict.origin).checkpoint = verdict.checkpoint;
    return {.status = 200,
            .body = FormatNoteSignature(VALUE_OF(
                CosignCheckpoint(VALUE_OF(ParseNote(verdict.note)).text, name_,
                                 key_, absl::FromUnixSeconds(1795262400))))};
  }
  const std::string name_;
  const SigningKey key_ = SigningKey::Generate();
  WitnessMemory memory_;
  std::unique_ptr<HttpPort> port_;
};

// Takes connections and never says a word.
class SilentServer {
 public:
  SilentServer() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(listen(fd_, 4), 0);
    socklen_t size = sizeof at;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    url_ = absl::StrCat("http://127.0.0.1:", ntohs(at.sin_port));
  }
  ~SilentServer() {
    close(called_);
    close(fd_);
  }
  const std::string& url() const { return url_; }
  // Until somebody called.
  void AwaitCall() { called_ = accept(fd_, nullptr, nullptr); }

 private:
  const int fd_;
  int called_ = -1;
  std::string url_;
};

class OutsideWitnessesTest : public testing::Test {
 protected:
  void Name(std::vector<NoteVerifier> outsiders) {
    Charter next = broker_.committee().Successor(broker_.charter());
    next.outside_witnesses = std::move(outsiders);
    next.witness_quorum = 2;
    VALUE_OF(broker_.PublishCharter(broker_.committee().Sign(next)));
    ASSERT_OK(checkpointer_.PublishNext());
  }
  std::unique_ptr<OutsideWitnesses> Start(const BrokerConfig& config) {
    return std::make_unique<OutsideWitnesses>(
        config, broker_.store(), checkpointer_, broker_.witnesses(),
        broker_.clock());
  }

  BrokerFixture broker_{{"a", "b"}};
  Checkpointer checkpointer_{broker_.store(),   broker_.network(),
                             broker_.log_key(), broker_.witnesses(),
                             broker_.feed(),    broker_.clock()};
  const ServingWitness one_{"one.example", broker_.log()};
  const ServingWitness two_{"two.example", broker_.log()};
};

// One that hangs and one that is not there hold up nobody: the quorum comes,
// and the broker ends.
TEST_F(OutsideWitnessesTest, GatherAQuorumBesideThoseThatDoNotAnswer) {
  SilentServer silent;
  const auto hanging = VALUE_OF(
      NoteVerifier::Create("hanging.example", NoteKeyType::kCosignatureV1,
                           SigningKey::Generate().verify_key()));
  const auto away =
      VALUE_OF(NoteVerifier::Create("away.example", NoteKeyType::kCosignatureV1,
                                    SigningKey::Generate().verify_key()));
  std::promise<void> witnessed;
  const TreeSize size(broker_.store().Head().range.size().value() + 1);
  const auto watching = VALUE_OF(
      broker_.feed().Subscribe(broker_.Id("a"), [&, told = false]() mutable {
        if (!told && broker_.witnesses().newest().size == size) {
          told = true;
          witnessed.set_value();
        }
      }));
  Name({one_.verifier(), two_.verifier(), hanging, away});
  BrokerConfig config;
  config.outside_witnesses = {{"hanging.example", silent.url()},
                              {"away.example", "http://127.0.0.1:1"},
                              one_.address(),
                              two_.address(),
                              {"unnamed.example", silent.url()}};
  auto witnesses = Start(config);
  silent.AwaitCall();
  witnessed.get_future().wait();
  EXPECT_EQ(witnesses->Count().wanted, 4u);
  EXPECT_GE(witnesses->Count().silent, 2u);
  witnesses.reset();
}

TEST_F(OutsideWitnessesTest, AreNoneUnlessConfigured) {
  Name({one_.verifier(), two_.verifier()});
  EXPECT_EQ(Start(BrokerConfig())->Count().wanted, 0u);
}

}  // namespace
}  // namespace amparo::broker

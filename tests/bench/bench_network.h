#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "amparo/v1/broker.grpc.pb.h"
#include "crypto/keys.h"
#include "tests/bench/witnesses.h"
#include "tests/support/broker_server.h"
#include "tests/support/child_process.h"

namespace amparo::bench {

// A founded network of two members, "ong" and "uls", and as many witnesses as
// one wants, in a scratch folder of its own (in TEST_TMPDIR), served by nobody
// until Run. Failures throw. One thread at a time.
class BenchNetwork {
 public:
  explicit BenchNetwork(size_t witnesses);

  const std::string& data() const { return server_.data().path(); }
  // A new name in the scratch folder.
  std::string NewPath(const std::string& stem);

  // `count` fresh envelopes of ong for uls, signed, of 4 KiB.
  std::vector<v1::SubmitRequest> NewRequests(size_t count);
  const VerifyKey& sender_key();

  // The real program on the network's directory, serving.
  struct Served {
    std::unique_ptr<ChildProcess> process;
    std::string members;  // host:port
  };
  Served RunBroker(const std::string& program);
  // Starts it; waits for the line with its port.
  Served RunBound(const std::vector<std::string>& arguments);

  std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address,
                                           const std::string& member);
  // All that the charter names, on their way to the broker at `address`.
  std::vector<WitnessSeat> WitnessesAt(const std::string& address);

 private:
  ScratchFolder folder_;
  broker::BrokerServer server_;
  const std::string ca_pem_;
  std::vector<SigningKey> witness_keys_;
  const AcceptedCharter charter_;
  int paths_ = 0;
};

}  // namespace amparo::bench

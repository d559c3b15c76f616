#pragma once

#include <grpcpp/channel.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "crypto/keys.h"

namespace amparo::bench {

// A witness as a charter names it, and its way to the broker.
struct WitnessSeat {
  std::string name;  // of its verifier key
  const SigningKey& key;
  std::shared_ptr<grpc::Channel> channel;
};

// Witnesses that cosign every checkpoint they are shown, as agents do, but
// follow nothing: what is measured is what cosigning costs the broker. They
// work until this goes away; what the seats refer to must outlive it.
class Witnesses {
 public:
  explicit Witnesses(std::vector<WitnessSeat> seats);
  ~Witnesses();

  // Checkpoints with a quorum that the broker has shown.
  size_t witnessed() const;

 private:
  class Watch;
  std::vector<std::unique_ptr<Watch>> watches_;
};

}  // namespace amparo::bench

#include "tests/bench/witnesses.h"

#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "amparo/v1/broker.grpc.pb.h"
#include "crypto/checkpoint.h"
#include "tests/support/status_matchers.h"

namespace amparo::bench {

class Witnesses::Watch {
 public:
  explicit Watch(WitnessSeat seat)
      : seat_(std::move(seat)),
        stub_(v1::LogService::NewStub(seat_.channel)),
        stream_(stub_->WatchCheckpoints(&context_, {})),
        thread_([this] { Run(); }) {}
  ~Watch() {
    context_.TryCancel();
    thread_.join();
  }

  size_t witnessed() const { return witnessed_; }

 private:
  void Run() {
    v1::CheckpointResponse shown;
    std::string last;
    while (stream_->Read(&shown)) {
      if (shown.witnessed() != last && !shown.witnessed().empty()) ++witnessed_;
      last = shown.witnessed();
      Cosign(VALUE_OF(ParseNote(shown.note())).text);
    }
    stream_->Finish().error_code();
  }
  void Cosign(const std::string& text) {
    const Checkpoint checkpoint = VALUE_OF(ParseCheckpoint(text));
    v1::AddCosignatureRequest request;
    request.set_tree_size(checkpoint.size.value());
    request.set_cosignature(ToText(
        VALUE_OF(CosignCheckpoint(text, seat_.name, seat_.key, absl::Now()))
            .signature));
    grpc::ClientContext context;
    v1::AddCosignatureResponse response;
    // Others may have been faster: then it is waited for no more.
    stub_->AddCosignature(&context, request, &response).error_code();
  }

  const WitnessSeat seat_;
  grpc::ClientContext context_;
  const std::unique_ptr<v1::LogService::Stub> stub_;
  const std::unique_ptr<grpc::ClientReader<v1::CheckpointResponse>> stream_;
  std::atomic<size_t> witnessed_ = 0;
  std::thread thread_;
};

Witnesses::Witnesses(std::vector<WitnessSeat> seats) {
  for (WitnessSeat& seat : seats)
    watches_.push_back(std::make_unique<Watch>(std::move(seat)));
}

Witnesses::~Witnesses() = default;

size_t Witnesses::witnessed() const {
  return watches_.empty() ? 0 : watches_.front()->witnessed();
}

}  // namespace amparo::bench

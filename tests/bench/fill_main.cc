#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "broker/store/rocks_store.h"
#include "crypto/init.h"
#include "proto/envelope/limits.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_member.h"

// Grows a broker's log as years of use would: envelopes of made-up members
// through the real store, in real commits, each delivered. For measuring what a
// long log costs (docs/PERFORMANCE.md); agents would call this log forged.

namespace amparo::broker {
namespace {

// What a `delivered` token is as long as; the store looks into none.
constexpr size_t kTokenBytes = 600;

class Filler {
 public:
  Filler(const std::string& path, size_t members)
      : store_(VALUE_OF(OpenRocksStore(path))) {
    for (size_t i = 0; i < members; ++i) {
      members_.push_back(std::make_unique<TestMember>(
          absl::StrCat("m", i), MemberKind::kVictimSupport));
      members_.back()->NewPrekey(charter_, absl::Now());
    }
  }

  uint64_t size() const { return store_->Head().range.size().value(); }

  // A batch of envelopes, then their receipts.
  void Add() {
    std::vector<Op> sent(kCommitBatchMax), settled;
    for (Op& op : sent) op = Sent();
    const auto results = VALUE_OF(store_->Commit(sent, absl::Now()));
    for (size_t i = 0; i < sent.size(); ++i) {
      if (!results[i].leaf) throw std::runtime_error("an envelope was refused");
      const auto& submit = std::get<Submit>(sent[i].action);
      settled.push_back(
          {Settle{results[i].leaf->index, submit.digest,
                  EnvelopeEventKind::kDelivered},
           EncodeAuditEvent(ReceiptEvent{absl::StrCat(
               results[i].leaf->index.value(), std::string(kTokenBytes, 'x'))}),
           std::nullopt, false});
    }
    VALUE_OF(store_->Commit(settled, absl::Now()));
  }

 private:
  Op Sent() {
    TestMember& sender = *members_[next_ % members_.size()];
    const TestMember& recipient = *members_[(7 * next_ + 1) % members_.size()];
    ++next_;
    const auto envelope = std::make_shared<const Envelope>(
        sender.EnvelopeTo(recipient, charter_, absl::Now()));
    const Digest body = BodyDigest(envelope->enc, envelope->ciphertext);
    Op op;
    op.action = Submit{envelope, EnvelopeDigest(envelope->header_bytes, body),
                       kCommitBatchMax, kCommitBatchMax};
    op.event = EncodeAuditEvent(
        EnvelopeEvent{envelope->header_bytes, body, envelope->signature});
    return op;
  }

  const std::unique_ptr<Store> store_;
  const AcceptedCharter charter_;
  std::vector<std::unique_ptr<TestMember>> members_;
  size_t next_ = 0;
};

}  // namespace
}  // namespace amparo::broker

int main(int argc, char** argv) {
  CLI::App app("Grows the log of a broker that is stopped.");
  std::string path;
  uint64_t entries = 1'000'000;
  size_t members = 500;
  app.add_option("--store", path, "DATA/store of a founded broker")->required();
  app.add_option("--entries", entries, "until the log has so many");
  app.add_option("--members", members, "made-up members that write");
  CLI11_PARSE(app, argc, argv);
  try {
    if (!amparo::InitCrypto().ok()) throw std::runtime_error("no cryptography");
    amparo::broker::Filler filler(path, members);
    while (filler.size() < entries) filler.Add();
    std::printf("%llu entries\n",
                static_cast<unsigned long long>(filler.size()));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}

#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "agents/auditor/checkpoint_pair.h"
#include "agents/auditor/replay.h"
#include "tests/adversary/victims.h"
#include "tests/support/shown_log.h"

namespace amparo::agent {

// A broker that lies, seen from both sides: by the agents that it lies to, and
// by an auditor who replays the log that it shows. Whatever the lie, it reads
// nothing, no sender is told of a delivery that was none, and once it is over
// every referral is where it was sent.
class LyingBroker : public Victims {
 protected:
  using FindingCode = auditor::FindingCode;
  using ShownLog = auditor::ShownLog;

  ~LyingBroker() override { ExpectNothingRead(); }

  // Refer, remembered: LieIsOver looks whether it arrived.
  std::string Sent() {
    sent_.push_back(Refer());
    return sent_.back();
  }

  // --- The auditor.
  // What the broker shows an auditor who asks now.
  ShownLog Shown() {
    const bool quorum = world_.broker().charter().charter.witness_quorum > 0;
    const ShownCheckpoint shown = world_.Shown();
    return {world_.broker(), quorum ? shown.witnessed : shown.note};
  }
  auditor::Report Audited(ShownLog log, std::vector<std::string> since = {}) {
    undelivered_.clear();
    const auditor::ReplayOptions options{
        .root = Root(),
        .since = std::move(since),
        .timeline = [this](const auditor::TimelineEntry& row) {
          if (row.event == "envelope") undelivered_[row.digest] = row.to;
          if (row.event == "receipt" && row.detail == "delivered")
            undelivered_.erase(row.digest);
        }};
    return VALUE_OF(auditor::Replay(log, options));
  }
  auditor::Report Audited() { return Audited(Shown()); }
  // Envelopes to uls that the log of the last audit shows without a delivery.
  size_t UndeliveredToUls() const {
    return static_cast<size_t>(
        std::count_if(undelivered_.begin(), undelivered_.end(),
                      [](const auto& one) { return one.second == "uls"; }));
  }
  Digest Root() {
    return Sha256(
        VALUE_OF(world_.broker().store().Publications(0, 1))[0].document);
  }
  static bool Finds(const auditor::Report& report, FindingCode code,
                    std::optional<LeafIndex> at = std::nullopt) {
    return std::any_of(report.findings().begin(), report.findings().end(),
                       [&](const auditor::Finding& finding) {
                         return finding.code == code &&
                                (!at || finding.index == at);
                       });
  }
  std::string Signed(const std::vector<Bytes>& entries) {
    CompactRange range;
    for (const Bytes& entry : entries) range.Append(LeafHash(entry));
    return VALUE_OF(SignCheckpoint(
        {world_.broker().log().name(), range.size(), range.Root(), {}},
        world_.broker().log_key()));
  }
  // Another log: these entries, with a checkpoint and tiles that fit them.
  static void Replace(ShownLog& log, std::vector<Bytes> entries,
                      std::string note) {
    log.entries = std::move(entries);
    log.leaves.clear();
    for (const Bytes& entry : log.entries)
      log.leaves.push_back(LeafHash(entry));
    log.note = std::move(note);
  }

  // --- The agents.
  // Shows `agent` this log instead of the true one.
  static void Serve(TestAgent& agent, const std::vector<Bytes>& entries) {
    agent.port().tamper_entries = [entries](LeafIndex start,
                                            std::vector<Bytes>) {
      if (start.value() >= entries.size()) return std::vector<Bytes>();
      return std::vector<Bytes>(
          entries.begin() + static_cast<ptrdiff_t>(start.value()),
          entries.end());
    };
  }
  bool UlsKnowsAll() {
    return std::all_of(sent_.begin(), sent_.end(),
                       [this](const auto& one) { return Knows(uls(), one); });
  }

  // --- What holds whatever the lie was.
  // During it.
  void ExpectNoFalseDelivery() {
    for (const std::string& referral : sent_)
      EXPECT_TRUE(DeliveryTo("uls", referral) != Delivery::kDelivered ||
                  Knows(uls(), referral));
  }
  // Honest again: all arrives, and the sender is told.
  void LieIsOver() {
    ExpectNoFalseDelivery();
    for (const char* id : {"ong", "uls", "gnr", "mp", "cpcj"}) {
      PortToFixture& port = world_.agent(id).port();
      port.down = false;
      port.tamper = nullptr;
      port.tamper_entries = nullptr;
      port.tamper_promise = nullptr;
      port.tamper_document = nullptr;
      port.divert = nullptr;
      port.swallow = nullptr;
    }
    world_.Settle();
    ExpectHonestTrafficFlows();
    LetResendsHappen();
    EXPECT_TRUE(UlsKnowsAll());
    for (const std::string& referral : sent_)
      EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  }
  // G1, over all that the broker holds.
  void ExpectNothingRead() {
    const ShownLog log(world_.broker(), "");
    std::vector<std::string> held;
    for (const Bytes& entry : log.entries) held.push_back(ToText(entry));
    for (const auto& [leaf, opening] : log.openings)
      held.push_back(ToText(opening.event));
    for (const char* id : {"ong", "uls", "gnr", "mp", "cpcj"})
      for (const broker::MailboxItem& item :
           VALUE_OF(world_.broker().store().Mailbox(
               world_.broker().Id(id), std::nullopt, 1000, 1 << 30)))
        held.push_back(item.ciphertext);
    for (const std::string& text : held)
      for (const char* word : {"Marta", "EXEMPLO", "laranja", "referral_form"})
        EXPECT_EQ(text.find(word), std::string::npos) << word;
  }

 private:
  std::vector<std::string> sent_;
  std::map<std::string, std::string> undelivered_;  // recipient by digest
};

}  // namespace amparo::agent

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "agents/institution/core/anchors.h"
#include "agents/institution/core/intake.h"
#include "agents/institution/core/take_back.h"
#include "base/event_log.h"
#include "base/status.h"

// What a broker lost that was rebuilt from mirrors: the log still has its
// entry, and nobody its ciphertext (docs/PROTOCOL.md, Rebuilding).

namespace amparo::agent {
namespace {

constexpr char kRebuiltKey[] = "in/rebuilt";  // the newest seen to: u64

}  // namespace

// False for what its recipient signed for, what ended otherwise, and what was
// sent once more since.
bool Intake::MayBeLost(const Digest& envelope, const Draft& draft) const {
  const auto entry =
      draft.case_id ? books_.cases.Find(*draft.case_id) : nullptr;
  const CaseEvent* const event = entry ? EventOf(*entry, draft) : nullptr;
  if (event == nullptr) return true;  // nobody keeps what became of it
  return event->envelope == envelope &&
         DeliveryOf(*entry, *event) < Delivery::kDelivered;
}

absl::Status Intake::SendLostAgain(LeafIndex from, TreeSize to) {
  MutexLock turn(turn_);
  const auto stored = books_.kv.Get(kRebuiltKey);
  if (!stored.ok() && !absl::IsNotFound(stored.status()))
    return stored.status();
  const uint64_t done = stored.ok() ? ReadU64(*stored) : 0;
  if (to.value() <= done || to > books_.log.size()) return absl::OkStatus();
  if (!books_.keys.Signer().ok())
    return absl::UnavailableError("no signing key in force");

  std::vector<Sent> lost;
  RETURN_IF_ERROR(
      books_.outbox.VisitSent([&](const Digest& envelope, Sent sent) {
        // Also beyond `to`: what was promised and never shown.
        if (sent.leaf >= from && MayBeLost(envelope, sent.draft))
          lost.push_back(std::move(sent));
      }));
  std::sort(lost.begin(), lost.end(),
            [](const Sent& a, const Sent& b) { return a.leaf < b.leaf; });
  Batch rows;
  RETURN_IF_ERROR(ForgetLostAnchors(books_.kv, books_.log, from, rows));
  // Nothing more will come under the links that it had.
  std::map<std::pair<MemberId, Digest>, std::vector<uint64_t>> links;
  for (Sent& sent : lost) {
    links[{sent.draft.recipient, sent.sender_kid}].push_back(sent.link_seq);
    sent.draft.attempts = 0;
    books_.outbox.Add(std::move(sent.draft), rows);
  }
  for (const auto& [chain, numbers] : links)
    RETURN_IF_ERROR(AddSkips(chain.first, chain.second, numbers, rows));
  Bytes seen;
  AppendU64(seen, to.value());
  rows.Put(kRebuiltKey, seen);
  RETURN_IF_ERROR(books_.kv.Write(rows));
  LogEvent(EventLevel::kWarning, "broker_rebuilt",
           {{"size", to.value()}, {"sent_again", lost.size()}});
  books_.wake_courier();
  return absl::OkStatus();
}

// One for each run of numbers.
absl::Status Intake::AddSkips(const MemberId& to, const Digest& kid,
                              const std::vector<uint64_t>& numbers,
                              Batch& rows) {
  for (size_t begin = 0; begin < numbers.size();) {
    size_t end = begin + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    RETURN_IF_ERROR(AddLinkEvent(EventKind::kSkip, to, kid, numbers[begin],
                                 numbers[end - 1], rows));
    begin = end;
  }
  return absl::OkStatus();
}

}  // namespace amparo::agent

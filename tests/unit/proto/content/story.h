#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/content/case_event.h"
#include "proto/content/case_state.h"
#include "tests/unit/proto/content/world.h"

namespace amparo {

// Events of one case as both ends would store them: every event gets the next
// leaf of the log and an envelope of its own.
class Story {
 public:
  CaseEvent Event(const MemberId& from, const MemberId& to, EventBody body) {
    const uint64_t leaf = next_leaf_++;
    return {.id = EventId::New(),
            .case_id = case_id,
            .from = from,
            .to = to,
            .at = kNoon + absl::Minutes(static_cast<int64_t>(leaf)),
            .leaf = LeafIndex(leaf),
            .envelope = Fill(static_cast<uint8_t>(100 + leaf)),
            .body = std::move(body)};
  }
  CaseEvent Sent(const MemberId& from, const MemberId& to,
                 EventKind kind = EventKind::kReferral,
                 Digest document = Fill(1),
                 std::vector<Slot> slots = {{Section::kRisk}}) {
    DocumentSent body{.kind = kind,
                      .referral_id = referral_id,
                      .document = document,
                      .prev = {},
                      .priority = Priority::kUrgent,
                      .purpose = "support"};
    for (const Slot slot : slots) body.slots.emplace(slot, "g-x");
    return Event(from, to, std::move(body));
  }
  CaseEvent Answer(const MemberId& from, const MemberId& to, EventKind kind,
                   std::string code = "") {
    return Event(from, to, Answered{kind, referral_id, std::move(code)});
  }
  CaseEvent Note(const CaseEvent& about, Delivery delivery,
                 std::string code = "") {
    CaseEvent note = Event(about.from, about.to,
                           DeliveryNoted{about.id, delivery, std::move(code)});
    note.leaf = std::nullopt;
    note.envelope = std::nullopt;
    return note;
  }
  CaseEvent Opened(const CaseEvent& about) {
    return Event(about.to, about.from,
                 Acknowledged{EventKind::kOpened, *about.envelope});
  }

  CaseState FoldAt(const MemberId& self,
                   const std::vector<CaseEvent>& events) const {
    return Fold(self, case_id, events);
  }
  // The referral as `self` sees it, with `peer`.
  PeerReferral At(const MemberId& self, const MemberId& peer,
                  const std::vector<CaseEvent>& events) const {
    const CaseState state = FoldAt(self, events);
    const PeerReferral* referral = state.Find(referral_id, peer);
    if (referral == nullptr) throw std::runtime_error("no such referral");
    return *referral;
  }

  const CaseId case_id = CaseId::New();
  const ReferralId referral_id = ReferralId::New();

 private:
  uint64_t next_leaf_ = 1;
};

}  // namespace amparo

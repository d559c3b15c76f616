#include "agents/officer/wait.h"

#include <algorithm>
#include <utility>

namespace amparo::officer {
namespace {

// Steps between states; what is left by none is an end.
constexpr std::pair<absl::string_view, absl::string_view> kSteps[] = {
    {"sent", "received"},
    {"sent", "cancelled"},
    {"sent", "expired"},
    {"sent", "error"},
    {"received", "accepted"},
    {"received", "declined"},
    {"received", "cancel_requested"},
    {"received", "expired"},
    {"accepted", "declined"},
    {"accepted", "cancel_requested"},
    {"accepted", "completed"},
    {"accepted", "not_completed"},
    {"cancel_requested", "cancelled"},
    {"cancel_requested", "completed"},
    {"cancel_requested", "not_completed"},
};

// The rising part of a delivery.
constexpr absl::string_view kDeliveries[] = {"queued", "submitted", "delivered",
                                             "opened", "acknowledged"};

// Its place in `kDeliveries`; -1 for recalled, failed and what is no delivery.
int RankOf(absl::string_view delivery) {
  const auto found =
      std::find(std::begin(kDeliveries), std::end(kDeliveries), delivery);
  return found == std::end(kDeliveries)
             ? -1
             : static_cast<int>(found - std::begin(kDeliveries));
}

bool IsOneOf(absl::string_view word,
             std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool HasEnded(const v1::RecipientState& to) {
  const bool leads_on =
      std::any_of(std::begin(kSteps), std::end(kSteps),
                  [&](const auto& step) { return step.first == to.state(); });
  return !leads_on || IsOneOf(to.delivery(), {"recalled", "failed"});
}

// How far the delivery got. A person who answered has opened it, even while
// the receipt that says so is on its way; who accepted has taken charge.
int RankReached(const v1::RecipientState& to) {
  int rank = RankOf(to.delivery());
  if (IsOneOf(to.state(), {"received", "cancel_requested"}))
    rank = std::max(rank, RankOf("delivered"));
  if (to.state() == "declined") rank = std::max(rank, RankOf("opened"));
  if (IsOneOf(to.state(), {"accepted", "completed", "not_completed"}))
    rank = std::max(rank, RankOf("acknowledged"));
  return rank;
}

// Whether the member itself said `kind`, whatever came after.
bool Said(const v1::ReferralView& referral, const v1::RecipientState& to,
          absl::string_view kind) {
  return std::any_of(referral.events().begin(), referral.events().end(),
                     [&](const v1::EventView& event) {
                       return event.by() == to.member() && event.kind() == kind;
                     });
}

bool HasReached(const v1::ReferralView& referral, const v1::RecipientState& to,
                absl::string_view stage) {
  if (to.state() == stage || to.delivery() == stage) return true;
  if (const int rank = RankOf(stage); rank >= 0) return RankReached(to) >= rank;
  if (stage == "sent") return true;
  if (stage == "received") return RankReached(to) >= RankOf("delivered");
  if (stage == "accepted")
    return IsOneOf(to.state(), {"completed", "not_completed"}) ||
           Said(referral, to, "accepted");
  if (stage == "cancel_requested")
    return to.state() == "cancelled" && RankReached(to) >= RankOf("delivered");
  return false;
}

bool MayReach(const v1::RecipientState& to, absl::string_view stage) {
  if (HasEnded(to)) return false;
  if (RankOf(stage) >= 0) return true;
  // What can be taken back, or fail, has not been delivered.
  if (IsOneOf(stage, {"recalled", "failed"}))
    return RankReached(to) < RankOf("delivered");
  return MayBecome(to.state(), stage);
}

}  // namespace

bool MayBecome(absl::string_view from, absl::string_view to) {
  return std::any_of(std::begin(kSteps), std::end(kSteps),
                     [&](const auto& step) {
                       return step.first == from &&
                              (step.second == to || MayBecome(step.second, to));
                     });
}

WaitVerdict JudgeWait(const v1::ReferralView& referral,
                      absl::string_view stage) {
  if (stage == "erased")
    return referral.erasures_expected() > 0 &&
                   referral.erasures_received() >= referral.erasures_expected()
               ? WaitVerdict::kReached
               : WaitVerdict::kNotYet;
  bool one_reached = false, all_done = true, one_may = false;
  for (const v1::RecipientState& to : referral.recipients()) {
    const bool reached = HasReached(referral, to, stage);
    one_reached = one_reached || reached;
    all_done = all_done && (reached || HasEnded(to));
    one_may = one_may || MayReach(to, stage);
  }
  if (one_reached && all_done) return WaitVerdict::kReached;
  if (one_reached || one_may || referral.recipients().empty())
    return WaitVerdict::kNotYet;
  return WaitVerdict::kNever;
}

bool IsWholeReferralId(absl::string_view id) {
  constexpr size_t kWholeIdChars = 28;
  return id.size() == kWholeIdChars && id.substr(0, 2) == "r-" &&
         id.substr(2).find_first_not_of("abcdefghijklmnopqrstuvwxyz234567") ==
             absl::string_view::npos;
}

}  // namespace amparo::officer

#include "agents/institution/core/link_book.h"

#include <algorithm>
#include <utility>

#include "agents/institution/core/link_rows.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

constexpr size_t kGapsMax = 256;  // of one sender

// Takes `first` to `last` of `kid` out of the gaps; true when one of them was
// in a gap. What is left of a gap behind them keeps `asked`, or loses it.
bool Take(std::vector<Gap>& gaps, const Digest& kid, uint64_t first,
          uint64_t last, bool ask_again) {
  std::vector<Gap> left;
  bool taken = false;
  for (const Gap& gap : gaps) {
    if (gap.kid != kid || gap.last < first || gap.first > last) {
      left.push_back(gap);
      continue;
    }
    taken = true;
    Gap rest = gap;
    rest.last = first - 1;
    if (gap.first < first) left.push_back(rest);
    rest = gap;
    rest.first = last + 1;
    rest.asked = gap.asked && !ask_again;
    if (gap.last > last) left.push_back(rest);
  }
  gaps = std::move(left);
  return taken;
}

// One envelope that finds its place among the links of its sender.
class Placing {
 public:
  Placing(LinkRows& rows, const Header& header, const Digest& digest,
          const std::vector<Digest>& kids, absl::Time now)
      : rows_(rows),
        header_(header),
        digest_(digest),
        kids_(kids),
        now_(now),
        rank_(RankOf(header.sender_kid)) {}

  absl::StatusOr<LinkFinding> Run() {
    const Digest& kid = header_.sender_kid;
    ASSIGN_OR_RETURN(const auto known, rows_.Link(kid, header_.link_seq));
    if (known)
      return known->digest == digest_ ? LinkFinding::kLate : LinkFinding::kFork;
    ASSIGN_OR_RETURN(gaps_, rows_.Gaps());
    ASSIGN_OR_RETURN(chain_, rows_.ChainOf(kid));
    RETURN_IF_ERROR(CompareNeighbours());
    RETURN_IF_ERROR(FindPredecessor());
    PlaceInChain();
    RETURN_IF_ERROR(FollowEarlierChains());
    RETURN_IF_ERROR(EndWhereNamed());
    rows_.PutLink(kid, header_.link_seq, {digest_, header_.link_prev});
    rows_.PutChain(kid, chain_);
    rows_.PutGaps(gaps_);
    return forked_ ? LinkFinding::kFork : finding_;
  }

 private:
  // Its place among the sender's keys.
  size_t RankOf(const Digest& kid) const {
    return std::find(kids_.begin(), kids_.end(), kid) - kids_.begin();
  }

  // The links right before and right after, whichever came first.
  absl::Status CompareNeighbours() {
    const Digest& kid = header_.sender_kid;
    if (header_.link_seq > 1) {
      ASSIGN_OR_RETURN(const auto before,
                       rows_.Link(kid, header_.link_seq - 1));
      forked_ |= before && before->digest != header_.link_prev;
    }
    ASSIGN_OR_RETURN(const auto after, rows_.Link(kid, header_.link_seq + 1));
    forked_ |= after && after->prev != digest_;
    return absl::OkStatus();
  }

  // The newest of the earlier chains of which something came.
  absl::Status FindPredecessor() {
    for (size_t rank = std::min(rank_, kids_.size()); rank-- > 0;) {
      ASSIGN_OR_RETURN(earlier_, rows_.ChainOf(kids_[rank]));
      if (earlier_.seq == 0) continue;
      earlier_rank_ = rank;
      break;
    }
    return absl::OkStatus();
  }

  void PlaceInChain() {
    const uint64_t seq = header_.link_seq;
    is_first_seen_ = chain_.seq == 0;
    const bool filled = Take(gaps_, header_.sender_kid, seq, seq, false);
    if (filled || seq < chain_.seq) finding_ = LinkFinding::kLate;
    if (seq < chain_.seq) return;
    // A later key's first link named the last of this chain.
    forked_ |= !chain_.ended_by.IsZero();
    if (!filled && seq > chain_.seq + 1)
      Miss(header_.sender_kid, chain_.seq + 1, seq - 1);
    chain_.seq = seq;
    chain_.digest = digest_;
  }

  // A new key's chain goes on where the chain before it ended.
  absl::Status FollowEarlierChains() {
    if (earlier_rank_ && !earlier_.ended_by.IsZero() && is_first_seen_)
      forked_ |=
          RankOf(earlier_.ended_by) > rank_;  // it went on without this one
    if (header_.link_seq > 1) {
      if (is_first_seen_) MissEarlierEnds();
      return absl::OkStatus();
    }
    const Digest& prev = header_.link_prev;
    if (prev.IsZero()) return absl::OkStatus();  // none, or lost with its store
    if (earlier_rank_ && earlier_.digest == prev) {
      earlier_.ended_by = header_.sender_kid;
      rows_.PutChain(kids_[*earlier_rank_], earlier_);
      TakeBetween(*earlier_rank_, earlier_.seq, rank_);
      return absl::OkStatus();
    }
    // A past that is known, but is not the last one.
    ASSIGN_OR_RETURN(const bool known, rows_.Knows(prev));
    forked_ |= known;
    if (known) return absl::OkStatus();
    rows_.PutNamed(prev, header_.sender_kid);
    if (is_first_seen_) MissEarlierEnds();
    return absl::OkStatus();
  }

  // The last link before a later key's first one came late.
  absl::Status EndWhereNamed() {
    ASSIGN_OR_RETURN(const auto heir, rows_.NamedBy(digest_));
    if (!heir) return absl::OkStatus();
    const size_t heir_rank = RankOf(*heir);
    forked_ |= heir_rank <= rank_ || chain_.seq > header_.link_seq;
    for (size_t rank = rank_ + 1; rank < heir_rank; ++rank) {
      ASSIGN_OR_RETURN(const Chain between, rows_.ChainOf(kids_[rank]));
      forked_ |= between.seq > 0;
    }
    chain_.ended_by = *heir;
    TakeBetween(rank_, header_.link_seq, heir_rank);
    return absl::OkStatus();
  }

  // Nothing is missing between link `seq` of one key and the start of another.
  void TakeBetween(size_t rank, uint64_t seq, size_t heir_rank) {
    if (rank < kids_.size()) Take(gaps_, kids_[rank], seq + 1, kLinkMax, false);
    for (++rank; rank < heir_rank && rank < kids_.size(); ++rank)
      Take(gaps_, kids_[rank], 1, kLinkMax, false);
  }

  void MissEarlierEnds() {
    for (size_t rank = earlier_rank_.value_or(0);
         rank < std::min(rank_, kids_.size()); ++rank)
      Miss(kids_[rank], rank == earlier_rank_ ? earlier_.seq + 1 : 1, kLinkMax);
  }

  void Miss(const Digest& kid, uint64_t first, uint64_t last) {
    if (first > last) return;  // after the highest number nothing can be missing
    Take(gaps_, kid, first, last, false);
    gaps_.push_back({header_.sender, kid, first, last, now_, false});
    finding_ = LinkFinding::kGap;
    if (gaps_.size() > kGapsMax) JoinLast();
  }

  // So many holes are made on purpose, and each costs: the newest is asked for
  // together with the one before it, and with what came between them.
  void JoinLast() {
    const Gap newest = gaps_.back();
    const auto before =
        std::find_if(gaps_.rbegin() + 1, gaps_.rend(),
                     [&](const Gap& gap) { return gap.kid == newest.kid; });
    if (before == gaps_.rend()) return;
    before->first = std::min(before->first, newest.first);
    before->last = std::max(before->last, newest.last);
    before->since = newest.since;
    before->asked = false;
    gaps_.pop_back();
  }

  LinkRows& rows_;
  const Header& header_;
  const Digest& digest_;
  const std::vector<Digest>& kids_;
  const absl::Time now_;
  const size_t rank_;
  std::vector<Gap> gaps_;
  Chain chain_, earlier_;
  std::optional<size_t> earlier_rank_;
  bool is_first_seen_ = false;
  bool forked_ = false;
  LinkFinding finding_ = LinkFinding::kNext;
};

}  // namespace

absl::StatusOr<LinkFinding> LinkBook::Place(const Header& header,
                                            const Digest& digest,
                                            const std::vector<Digest>& kids,
                                            absl::Time now, Batch& rows) {
  LinkRows of_sender(kv_, header.sender, rows);
  return Placing(of_sender, header, digest, kids, now).Run();
}

absl::Status LinkBook::MissUpTo(const MemberId& sender, const Digest& kid,
                                uint64_t last, absl::Time now, Batch& rows) {
  LinkRows of_sender(kv_, sender, rows);
  ASSIGN_OR_RETURN(const Chain chain, of_sender.ChainOf(kid));
  if (chain.seq >= last) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<Gap> gaps, of_sender.Gaps());
  Take(gaps, kid, chain.seq + 1, last, false);
  gaps.push_back({sender, kid, chain.seq + 1, last, now, false});
  of_sender.PutGaps(gaps);
  return absl::OkStatus();
}

absl::Status LinkBook::Settle(const MemberId& sender, const Digest& kid,
                              uint64_t first, uint64_t last, Batch& rows) {
  LinkRows of_sender(kv_, sender, rows);
  ASSIGN_OR_RETURN(std::vector<Gap> gaps, of_sender.Gaps());
  if (Take(gaps, kid, first, last, true)) of_sender.PutGaps(gaps);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Gap>> LinkBook::Unasked(absl::Time now,
                                                   absl::Duration age) const {
  ASSIGN_OR_RETURN(std::vector<Gap> gaps, LinkRows::AllGaps(kv_));
  // One from a time to come: the clock was set back, and it waited.
  std::erase_if(gaps, [&](const Gap& gap) {
    return gap.asked || (gap.since <= now && gap.since + age > now);
  });
  return gaps;
}

absl::Status LinkBook::MarkAsked(const Gap& gap, Batch& rows) const {
  LinkRows of_sender(kv_, gap.sender, rows);
  ASSIGN_OR_RETURN(std::vector<Gap> gaps, of_sender.Gaps());
  for (Gap& open : gaps)
    if (open.kid == gap.kid && open.first == gap.first) open.asked = true;
  of_sender.PutGaps(gaps);
  return absl::OkStatus();
}

absl::StatusOr<bool> LinkBook::HasGap(const MemberId& sender) const {
  Batch none;
  ASSIGN_OR_RETURN(const std::vector<Gap> gaps,
                   LinkRows(kv_, sender, none).Gaps());
  return !gaps.empty();
}

absl::StatusOr<bool> LinkBook::HasGap(const MemberId& sender,
                                      const Digest& kid) const {
  Batch none;
  ASSIGN_OR_RETURN(const std::vector<Gap> gaps,
                   LinkRows(kv_, sender, none).Gaps());
  return std::any_of(gaps.begin(), gaps.end(),
                     [&](const Gap& gap) { return gap.kid == kid; });
}

}  // namespace amparo::agent

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agents/institution/core/intake.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/status.h"

// Peers that lack links of this agent's: what they ask for is noted, and
// answered once the answer before has left. So whoever asks for ever, and takes
// no mail, fills nothing.

namespace amparo::agent {
namespace {

constexpr char kAskedPrefix[] = "in/asked/";
constexpr size_t kResendPage = 1000;
constexpr size_t kRangesMax = 16;  // of one key; beyond, all between them

using Range = std::pair<uint64_t, uint64_t>;  // of links, both ends included

struct Asked {
  std::string key;
  MemberId peer;
  Digest kid;
  std::vector<Range> ranges;
};

std::string KeyOf(const MemberId& peer, const Digest& kid) {
  return absl::StrCat(kAskedPrefix, peer.text(), "/", ToHex(kid.bytes()));
}

absl::StatusOr<std::vector<Range>> DecodeRanges(ByteView bytes) {
  ASSIGN_OR_RETURN(const Json list, ParseJson(AsText(bytes)));
  std::vector<Range> ranges;
  for (const Json& json : list) {
    ASSIGN_OR_RETURN(const int64_t first, JsonInt(json, "first"));
    ASSIGN_OR_RETURN(const int64_t last, JsonInt(json, "last"));
    ranges.emplace_back(first, last);
  }
  return ranges;
}

Bytes EncodeRanges(const std::vector<Range>& ranges) {
  Json list = Json::array();
  for (const auto& [first, last] : ranges)
    list.push_back({{"first", first}, {"last", last}});
  return ToBytes(DumpJson(list));
}

absl::StatusOr<Asked> ParseAsked(absl::string_view key, ByteView value) {
  const std::pair<absl::string_view, absl::string_view> names =
      absl::StrSplit(key.substr(sizeof kAskedPrefix - 1), '/');
  ASSIGN_OR_RETURN(const MemberId peer, MemberId::Parse(names.first));
  ASSIGN_OR_RETURN(const Digest kid,
                   Digest::Parse(absl::StrCat("sha256:", names.second)));
  ASSIGN_OR_RETURN(std::vector<Range> ranges, DecodeRanges(value));
  return Asked{std::string(key), peer, kid, std::move(ranges)};
}

void AddRange(std::vector<Range>& ranges, const Range& asked) {
  for (const auto& [first, last] : ranges)
    if (first <= asked.first && asked.second <= last) return;
  ranges.push_back(asked);
  if (ranges.size() <= kRangesMax) return;
  Range all = asked;
  for (const auto& [first, last] : ranges)
    all = {std::min(all.first, first), std::max(all.second, last)};
  ranges = {all};
}

}  // namespace

absl::Status Intake::NoteAsked(const EventDocument& event, Batch& rows) const {
  const std::vector<Digest> own =
      books_.peers.Now()->keys.SigningKids(books_.keys.self());
  // There are no links under other keys.
  if (std::find(own.begin(), own.end(), *event.link_kid) == own.end())
    return absl::OkStatus();
  const std::string key = KeyOf(event.issuer, *event.link_kid);
  std::vector<Range> ranges;
  const auto stored = books_.kv.Get(key);
  if (stored.ok()) {
    ASSIGN_OR_RETURN(ranges, DecodeRanges(*stored));
  } else if (!absl::IsNotFound(stored.status())) {
    return stored.status();
  }
  AddRange(ranges, {event.first, event.last});
  rows.Put(key, EncodeRanges(ranges));
  return absl::OkStatus();
}

absl::Status Intake::AnswerAsked() {
  std::vector<Asked> all;
  absl::Status broken;
  RETURN_IF_ERROR(books_.kv.Scan(kAskedPrefix, "",
                                 [&](absl::string_view key, ByteView value) {
                                   auto asked = ParseAsked(key, value);
                                   if (asked.ok())
                                     all.push_back(*std::move(asked));
                                   broken.Update(asked.status());
                                   return true;
                                 }));
  RETURN_IF_ERROR(broken);
  if (all.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<Draft> drafts, books_.outbox.Drafts());
  std::set<MemberId> answered;  // and the answer did not leave yet
  std::map<MemberId, std::set<EventId>> waiting;
  for (const Draft& draft : drafts) {
    if (draft.kind == EventKind::kSkip) answered.insert(draft.recipient);
    waiting[draft.recipient].insert(draft.event_id);
  }
  Batch rows;
  for (const Asked& asked : all) {
    if (answered.contains(asked.peer)) continue;
    rows.Delete(asked.key);
    for (const auto& [first, last] : asked.ranges)
      RETURN_IF_ERROR(Resend(asked.peer, asked.kid, first, last,
                             waiting[asked.peer], rows));
  }
  if (rows.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(books_.kv.Write(rows));
  books_.wake_courier();
  return absl::OkStatus();
}

// What is asked for goes again under new links, a page at a time. A skip ends
// the wait for that page, and with the last one for all the rest.
absl::Status Intake::Resend(const MemberId& to, const Digest& kid,
                            uint64_t first, uint64_t last,
                            std::set<EventId>& waiting, Batch& rows) {
  ASSIGN_OR_RETURN(std::vector<Sent> page,
                   books_.outbox.SentIn(to, kid, first, last, kResendPage));
  if (page.size() == kResendPage) last = page.back().link_seq;
  // Each event once, and none that waits already: whoever asks again and again
  // gets no more by it. Link events are of the past: the skip is enough.
  for (Sent& sent : page) {
    if (IsLinkEvent(sent.draft.kind) ||
        !waiting.insert(sent.draft.event_id).second)
      continue;
    sent.draft.attempts = 0;
    sent.draft.again = true;
    books_.outbox.Add(std::move(sent.draft), rows);
  }
  return AddLinkEvent(EventKind::kSkip, to, kid, first, last, rows);
}

}  // namespace amparo::agent

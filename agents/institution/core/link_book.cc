#include "agents/institution/core/link_book.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

// Rows: the last link of each sender; every link's digest; open gaps.
constexpr char kHeadPrefix[] = "in/head/";
constexpr char kLinkPrefix[] = "in/link/";
constexpr char kGapPrefix[] = "in/gap/";

struct Head {
  Digest kid;
  uint64_t seq = 0;
  Digest digest;
};

std::string LinkKey(const MemberId& sender, const Digest& kid, uint64_t seq) {
  return absl::StrCat(kLinkPrefix, sender.text(), "/", ToHex(kid.bytes()), "/", seq);
}
std::string GapKey(const MemberId& sender, const Digest& kid, uint64_t first) {
  return absl::StrCat(kGapPrefix, sender.text(), "/", ToHex(kid.bytes()), "/", first);
}

absl::StatusOr<std::optional<Head>> ReadHead(const KeyValue& kv, const MemberId& sender) {
  const auto bytes = kv.Get(kHeadPrefix + sender.text());
  if (absl::IsNotFound(bytes.status())) return std::optional<Head>();
  RETURN_IF_ERROR(bytes.status());
  const ByteView view(*bytes);
  if (view.size() != 2 * Digest::kSize + 8)
    return absl::DataLossError("a stored link is damaged");
  Head head;
  ASSIGN_OR_RETURN(head.kid, Digest::FromBytes(view.first(Digest::kSize)));
  head.seq = ReadU64(view.subspan(Digest::kSize));
  ASSIGN_OR_RETURN(head.digest, Digest::FromBytes(view.last(Digest::kSize)));
  return std::optional<Head>(head);
}

void PutHead(const MemberId& sender, const Head& head, Batch& rows) {
  Bytes bytes = ToBytes(head.kid.bytes());
  AppendU64(bytes, head.seq);
  Append(bytes, head.digest.bytes());
  rows.Put(kHeadPrefix + sender.text(), bytes);
}

void PutGap(const Gap& gap, Batch& rows) {
  Json json;
  json["sender"] = gap.sender.text();
  json["kid"] = gap.kid.ToString();
  json["first"] = gap.first;
  json["last"] = gap.last;
  json["since"] = UnixSeconds(gap.since);
  json["asked"] = gap.asked;
  rows.Put(GapKey(gap.sender, gap.kid, gap.first), AsBytes(DumpJson(json)));
}

absl::StatusOr<Gap> DecodeGap(ByteView bytes) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(bytes)));
  ASSIGN_OR_RETURN(const std::string sender_text, JsonString(json, "sender"));
  ASSIGN_OR_RETURN(MemberId sender, MemberId::Parse(sender_text));
  ASSIGN_OR_RETURN(const std::string kid_text, JsonString(json, "kid"));
  ASSIGN_OR_RETURN(const Digest kid, Digest::Parse(kid_text));
  ASSIGN_OR_RETURN(const int64_t first, JsonInt(json, "first"));
  ASSIGN_OR_RETURN(const int64_t last, JsonInt(json, "last"));
  ASSIGN_OR_RETURN(const int64_t since, JsonInt(json, "since"));
  return Gap{std::move(sender), kid,
             static_cast<uint64_t>(first), static_cast<uint64_t>(last),
             TimeFromUnix(since), json.value("asked", false)};
}

absl::StatusOr<std::vector<Gap>> ScanGaps(const KeyValue& kv, const std::string& prefix) {
  std::vector<Gap> gaps;
  absl::Status decoded;
  RETURN_IF_ERROR(kv.Scan(prefix, "", [&](absl::string_view, ByteView value) {
    auto gap = DecodeGap(value);
    decoded = gap.status();
    if (decoded.ok()) gaps.push_back(*std::move(gap));
    return decoded.ok();
  }));
  RETURN_IF_ERROR(decoded);
  return gaps;
}

}  // namespace

absl::StatusOr<std::vector<Gap>> LinkBook::GapsOf(const MemberId& sender) const {
  return ScanGaps(kv_, absl::StrCat(kGapPrefix, sender.text(), "/"));
}

absl::StatusOr<LinkFinding> LinkBook::Place(const Header& header, const Digest& digest,
                                            absl::Time now, Batch& rows) {
  const std::string link_key =
      LinkKey(header.sender, header.sender_kid, header.link_seq);
  const auto stored = kv_.Get(link_key);
  if (stored.ok())
    return Equal(*stored, digest.bytes()) ? LinkFinding::kLate : LinkFinding::kFork;
  if (!absl::IsNotFound(stored.status())) return stored.status();
  rows.Put(link_key, digest.bytes());

  ASSIGN_OR_RETURN(const std::optional<Head> head, ReadHead(kv_, header.sender));
  const bool same_chain = head && head->kid == header.sender_kid;
  if (same_chain && header.link_seq < head->seq) {
    RETURN_IF_ERROR(Settle(header.sender, header.sender_kid, header.link_seq,
                           header.link_seq, rows));
    return LinkFinding::kLate;
  }
  PutHead(header.sender, {header.sender_kid, header.link_seq, digest}, rows);
  const uint64_t expected = same_chain ? head->seq + 1 : 1;
  if (header.link_seq > expected) {
    PutGap({header.sender, header.sender_kid, expected, header.link_seq - 1, now, false},
           rows);
    return LinkFinding::kGap;
  }
  // The first link of a new key names the last of the old one, or nothing.
  const Digest before = head ? head->digest : Digest();
  const bool fits = header.link_prev == before || (!same_chain && header.link_prev.IsZero());
  return fits ? LinkFinding::kNext : LinkFinding::kFork;
}

absl::Status LinkBook::Settle(const MemberId& sender, const Digest& kid, uint64_t first,
                              uint64_t last, Batch& rows) {
  ASSIGN_OR_RETURN(const std::vector<Gap> gaps, GapsOf(sender));
  for (const Gap& gap : gaps) {
    if (gap.kid != kid || gap.last < first || gap.first > last) continue;
    rows.Delete(GapKey(sender, kid, gap.first));
    // What lies before and after the settled links stays open.
    Gap rest = gap;
    rest.last = first - 1;
    if (gap.first < first) PutGap(rest, rows);
    rest = gap;
    rest.first = last + 1;
    if (gap.last > last) PutGap(rest, rows);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Gap>> LinkBook::Unasked(absl::Time now,
                                                   absl::Duration age) const {
  ASSIGN_OR_RETURN(std::vector<Gap> gaps, ScanGaps(kv_, kGapPrefix));
  std::erase_if(gaps,
                [&](const Gap& gap) { return gap.asked || gap.since + age > now; });
  return gaps;
}

void LinkBook::MarkAsked(Gap gap, Batch& rows) const {
  gap.asked = true;
  PutGap(gap, rows);
}

absl::StatusOr<bool> LinkBook::HasGap(const MemberId& sender) const {
  ASSIGN_OR_RETURN(const std::vector<Gap> gaps, GapsOf(sender));
  return !gaps.empty();
}

}  // namespace amparo::agent
